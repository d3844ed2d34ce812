import type {
  Cluster,
  DescribeClustersRequest,
  DescribeClustersResponse,
  ListClustersRequest,
  ListClustersResponse,
} from '@aws-sdk/client-ecs';
import { pageOf } from '../paging';
import type { Call } from '../service';
import { nameFrom } from './arns';
import type { EcsCluster } from './clusters';
import type { EcsContext } from './context';
import { invalidParameter } from './errors';
import { resourceTagContext } from './tags';

const MAX_PAGE = 100;

function described({ tasks }: EcsContext, cluster: EcsCluster, include: readonly string[]): Cluster {
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
    status: 'ACTIVE',
    registeredContainerInstancesCount: 0,
    runningTasksCount: running,
    pendingTasksCount: pending,
    activeServicesCount: 0,
    statistics: include.includes('STATISTICS')
      ? [
          { name: 'runningFargateTasksCount', value: String(running) },
          { name: 'pendingFargateTasksCount', value: String(pending) },
        ]
      : [],
    settings: include.includes('SETTINGS') ? cluster.settings : [],
    tags: include.includes('TAGS') ? [...cluster.tags] : [],
    capacityProviders: [...cluster.capacityProviders],
    defaultCapacityProviderStrategy: [...cluster.defaultStrategy],
  };
}

export const describeClusters =
  (context: EcsContext) =>
  (request: DescribeClustersRequest, call: Call): DescribeClustersResponse => {
    const names = request.clusters ?? [];
    if (names.length > MAX_PAGE) throw invalidParameter(`Clusters cannot be more than ${MAX_PAGE}.`);
    const answer: Required<Pick<DescribeClustersResponse, 'clusters' | 'failures'>> = { clusters: [], failures: [] };
    for (const name of names.length === 0 ? ['default'] : names) {
      const cluster = context.clusters.find(name);
      const arn = context.arns.cluster(nameFrom(name));
      call.authorize({
        action: 'ecs:DescribeClusters',
        resource: arn,
        context: resourceTagContext(cluster?.tags ?? []),
      });
      if (cluster === undefined) answer.failures.push({ arn, reason: 'MISSING' });
      else answer.clusters.push(described(context, cluster, request.include ?? []));
    }
    return answer;
  };

export const listClusters =
  ({ clusters }: EcsContext) =>
  (request: ListClustersRequest, call: Call): ListClustersResponse => {
    call.authorize({ action: 'ecs:ListClusters', resource: '*', context: {} });
    const arns = clusters.all().map(({ arn }) => arn);
    const { items, nextToken } = pageOf(arns, request.maxResults ?? MAX_PAGE, request.nextToken, 'clusters', () =>
      invalidParameter('Invalid token'),
    );
    return { clusterArns: [...items], nextToken };
  };
