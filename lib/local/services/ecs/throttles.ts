import type { ThrottleGroup } from '../../control/throttles';
import type { BucketLimits } from '../../control/token-bucket';

/** Tasks that Fargate launches, on demand and Spot each (ECS developer guide, "Fargate throttling quotas"). */
export const FARGATE_LAUNCHES: BucketLimits = { burst: 100, perSecond: 20 };

/** Group of the launches of a capacity provider. */
export const launchGroup = (provider: string): string => `launch-${provider}`;

/** ECS developer guide, "Request throttling for the Amazon ECS API", and Fargate's launches. */
export const ECS_THROTTLES: readonly ThrottleGroup[] = [
  { name: 'run', operations: ['ecs:RunTask'], limits: { burst: 20, perSecond: 20 } },
  {
    name: 'cluster-resource-modify',
    operations: ['ecs:RunTask', 'ecs:StopTask', 'ecs:ExecuteCommand', 'ecs:StartTask'],
    limits: { burst: 100, perSecond: 40 },
  },
  {
    name: 'cluster-resource-read',
    operations: ['ecs:DescribeTasks', 'ecs:ListTasks'],
    limits: { burst: 100, perSecond: 20 },
  },
  { name: 'tag', operations: ['ecs:TagResource', 'ecs:UntagResource'], limits: { burst: 20, perSecond: 10 } },
  { name: 'list-tags', operations: ['ecs:ListTagsForResource'], limits: { burst: 50, perSecond: 20 } },
  { name: 'register', operations: ['ecs:RegisterTaskDefinition'], limits: { burst: 20, perSecond: 1 } },
  { name: 'describe-definition', operations: ['ecs:DescribeTaskDefinition'], limits: { burst: 50, perSecond: 20 } },
  {
    name: 'service-read',
    operations: ['ecs:DescribeServices', 'ecs:ListServices'],
    limits: { burst: 100, perSecond: 20 },
  },
  { name: 'update-service', operations: ['ecs:UpdateService'], limits: { burst: 50, perSecond: 5 } },
  { name: 'describe-cluster', operations: ['ecs:DescribeClusters'], limits: { burst: 50, perSecond: 20 } },
  { name: launchGroup('FARGATE'), operations: [], limits: FARGATE_LAUNCHES },
  { name: launchGroup('FARGATE_SPOT'), operations: [], limits: FARGATE_LAUNCHES },
];
