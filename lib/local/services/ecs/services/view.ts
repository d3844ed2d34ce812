import type { Deployment, Service, Task } from '@aws-sdk/client-ecs';
import type { EcsContext } from '../context';
import { groupOf, primaryOf } from './record';
import type { ServiceDeployment, ServiceRecord } from './record';
import { limitsOf } from './request';

const PENDING: readonly string[] = ['PROVISIONING', 'PENDING', 'ACTIVATING'];

/** The tasks of a service that ECS still shows. */
export const tasksOf = ({ tasks }: Pick<EcsContext, 'tasks'>, { cluster, name }: ServiceRecord): Task[] =>
  [...tasks.all()]
    .filter((record) => record.cluster === cluster && record.task.group === groupOf(name))
    .map(({ task }) => task);

const counts = (tasks: readonly Task[]): { readonly runningCount: number; readonly pendingCount: number } => ({
  runningCount: tasks.filter(({ lastStatus }) => lastStatus === 'RUNNING').length,
  pendingCount: tasks.filter(({ lastStatus }) => PENDING.includes(lastStatus ?? '')).length,
});

function deploymentView(record: ServiceRecord, deployment: ServiceDeployment, tasks: readonly Task[]): Deployment {
  const primary = deployment === record.deployments[0];
  const own = tasks.filter(({ startedBy }) => startedBy === deployment.id);
  return {
    id: deployment.id,
    status: primary ? 'PRIMARY' : 'ACTIVE',
    taskDefinition: deployment.taskDefinition,
    desiredCount: primary ? record.desiredCount : 0,
    ...counts(own),
    failedTasks: deployment.failedTasks,
    createdAt: deployment.createdAt,
    updatedAt: deployment.updatedAt,
    launchType: deployment.launchType,
    capacityProviderStrategy: deployment.capacityProviderStrategy,
    platformVersion: deployment.platformVersion ?? 'LATEST',
    platformFamily: 'Linux',
    networkConfiguration: deployment.networkConfiguration,
    rolloutState: deployment.rolloutState,
    rolloutStateReason: deployment.rolloutStateReason,
  };
}

/** A service as an answer shows it. */
export function serviceView(context: EcsContext, record: ServiceRecord, withTags: boolean): Service {
  const tasks = tasksOf(context, record);
  const primary = primaryOf(record);
  const { maximum, minimum } = limitsOf(record.deploymentConfiguration);
  return {
    serviceArn: record.arn,
    serviceName: record.name,
    clusterArn: context.arns.cluster(record.cluster),
    status: record.status,
    desiredCount: record.desiredCount,
    ...counts(tasks),
    launchType: primary.launchType,
    capacityProviderStrategy: primary.capacityProviderStrategy,
    platformVersion: primary.platformVersion ?? 'LATEST',
    platformFamily: 'Linux',
    taskDefinition: primary.taskDefinition,
    networkConfiguration: primary.networkConfiguration,
    deploymentConfiguration: {
      deploymentCircuitBreaker: record.deploymentConfiguration.deploymentCircuitBreaker ?? {
        enable: false,
        rollback: false,
      },
      maximumPercent: maximum,
      minimumHealthyPercent: minimum,
      strategy: 'ROLLING',
    },
    deployments:
      record.status === 'INACTIVE'
        ? []
        : record.deployments.map((deployment) => deploymentView(record, deployment, tasks)),
    events: record.events.map((event) => ({ ...event })),
    createdAt: record.createdAt,
    createdBy: record.createdBy,
    loadBalancers: record.loadBalancers ?? [],
    serviceRegistries: [],
    placementConstraints: [],
    placementStrategy: [],
    schedulingStrategy: 'REPLICA',
    deploymentController: { type: 'ECS' },
    enableECSManagedTags: record.enableECSManagedTags,
    enableExecuteCommand: record.enableExecuteCommand,
    propagateTags: record.propagateTags ?? 'NONE',
    tags: withTags ? [...record.tags] : [],
  };
}
