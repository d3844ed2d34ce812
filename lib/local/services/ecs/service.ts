import * as sdk from '@aws-sdk/client-ecs';
import { AwsError } from '../../wire/aws-error';
import { json11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { Service } from '../service';
import { describeClusters, listClusters } from './cluster-operations';
import type { EcsContext } from './context';
import {
  deregisterTaskDefinition,
  describeTaskDefinition,
  listTaskDefinitionFamilies,
  listTaskDefinitions,
  registerTaskDefinition,
} from './definition-operations';
import { invalidParameter } from './errors';
import { runTask } from './run-task';
import { listTagsForResource, tagResource, untagResource } from './tag-operations';
import { describeTasks, listTasks, stopTask } from './task-operations';

/** Amazon Elastic Container Service, as far as standalone Fargate tasks go. */
export const ecsService = (context: EcsContext): Service => ({
  signingName: 'ecs',
  protocol: json11,
  targetPrefix: 'AmazonEC2ContainerServiceV20141113',
  xmlNamespace: '',
  operations: operationsOf(sdk),
  missingMembers: (paths) => invalidParameter(`${paths.join(', ')} can not be blank.`),
  accessDenied: (message) => new AwsError('AccessDeniedException', message),
  handlers: {
    RunTask: runTask(context),
    StopTask: stopTask(context),
    DescribeTasks: describeTasks(context),
    ListTasks: listTasks(context),
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
  },
});
