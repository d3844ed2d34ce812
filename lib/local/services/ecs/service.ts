import * as sdk from '@aws-sdk/client-ecs';
import { AwsError } from '../../wire/aws-error';
import { awsJson11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import type { Service } from '../service';
import { agentControlRoutes } from './agent-controls';
import { createCluster, deleteCluster } from './cluster-changes';
import { describeClusters, listClusters } from './cluster-operations';
import { ecsContext } from './context';
import type { EcsContext } from './context';
import {
  deregisterTaskDefinition,
  describeTaskDefinition,
  listTaskDefinitionFamilies,
  listTaskDefinitions,
  registerTaskDefinition,
} from './definition-operations';
import { invalidParameter, throttled } from './errors';
import { execAgents } from './exec-agents';
import { executeCommand } from './execute-command';
import { runTask } from './run-task';
import { listTagsForResource, tagResource, untagResource } from './tag-operations';
import { createService, deleteService, updateService } from './services/changes';
import { describeServices, listServices } from './services/reading';
import { ServiceScheduler } from './services/scheduler';
import { deployServices } from './services/template';
import { taskControlRoutes } from './task-controls';
import { describeTasks, listTasks, stopTask } from './task-operations';
import { TaskRunner } from './task-runner';
import { ECS_THROTTLES } from './throttles';

/** Amazon Elastic Container Service, as far as tasks on Fargate and services of them go. */
export function ecsService(world: World): Service {
  const context = world.part(ecsContext);
  const runner = new TaskRunner(world, context);
  const scheduler = new ServiceScheduler(world, context);
  const agents = world.part(execAgents);
  return {
    signingName: 'ecs',
    protocol: awsJson11({ targetPrefix: 'AmazonEC2ContainerServiceV20141113' }),
    operations: operationsOf(sdk),
    trailed: new Set(['ExecuteCommand']),
    errors: {
      missingMembers: (paths) => invalidParameter(`${paths.join(', ')} can not be blank.`),
      accessDenied: (message) => new AwsError('AccessDeniedException', message),
      throttled,
    },
    throttles: ECS_THROTTLES,
    controls: { ...taskControlRoutes(world), ...agentControlRoutes(world) },
    start: async () => {
      await runner.start();
      agents.start();
      deployServices(world, context);
      scheduler.start();
    },
    close: async () => {
      scheduler.close();
      agents.close();
      await runner.close();
    },
    handlers: {
      ...handlersOf(context),
      ...serviceHandlers(context, scheduler),
      ExecuteCommand: executeCommand(world),
    },
  };
}

const handlersOf = (context: EcsContext): Service['handlers'] => ({
  RunTask: runTask(context),
  StopTask: stopTask(context),
  DescribeTasks: describeTasks(context),
  ListTasks: listTasks(context),
  CreateCluster: createCluster(context),
  DeleteCluster: deleteCluster(context),
  DescribeClusters: describeClusters(context),
  ListClusters: listClusters(context),
  RegisterTaskDefinition: registerTaskDefinition(context),
  DeregisterTaskDefinition: deregisterTaskDefinition(context),
  DescribeTaskDefinition: describeTaskDefinition(context),
  ListTaskDefinitions: listTaskDefinitions(context),
  ListTaskDefinitionFamilies: listTaskDefinitionFamilies(context),
  TagResource: tagResource(context),
  UntagResource: untagResource(context),
  ListTagsForResource: listTagsForResource(context),
});

const serviceHandlers = (context: EcsContext, scheduler: ServiceScheduler): Service['handlers'] => ({
  CreateService: createService(context, scheduler),
  UpdateService: updateService(context, scheduler),
  DeleteService: deleteService(context, scheduler),
  DescribeServices: describeServices(context),
  ListServices: listServices(context),
});
