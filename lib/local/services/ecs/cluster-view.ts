import type { Cluster } from '@aws-sdk/client-ecs';
import type { EcsCluster } from './clusters';
import type { EcsContext } from './context';

/** A cluster as a response shows it, with what `include` names. */
export function describedCluster(
  { tasks, services }: EcsContext,
  cluster: EcsCluster,
  include: readonly string[],
): Cluster {
  let running = 0;
  let pending = 0;
  for (const { cluster: name, task } of tasks.all()) {
    if (name !== cluster.name || task.desiredStatus === 'STOPPED') continue;
    if (task.lastStatus === 'RUNNING') running += 1;
    else pending += 1;
  }
  return {
    clusterArn: cluster.arn,
    clusterName: cluster.name,
    status: cluster.status,
    registeredContainerInstancesCount: 0,
    runningTasksCount: running,
    pendingTasksCount: pending,
    activeServicesCount: services.ofCluster(cluster.name).filter(({ status }) => status === 'ACTIVE').length,
    statistics: include.includes('STATISTICS')
      ? [
          { name: 'runningFargateTasksCount', value: String(running) },
          { name: 'pendingFargateTasksCount', value: String(pending) },
        ]
      : [],
    settings: include.includes('SETTINGS') ? [...cluster.settings] : [],
    configuration: include.includes('CONFIGURATIONS') ? cluster.configuration : undefined,
    tags: include.includes('TAGS') ? [...cluster.tags] : [],
    capacityProviders: [...cluster.capacityProviders],
    defaultCapacityProviderStrategy: [...cluster.defaultStrategy],
  };
}
