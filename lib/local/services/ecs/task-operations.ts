import type {
  DescribeTasksRequest,
  DescribeTasksResponse,
  ListTasksRequest,
  ListTasksResponse,
  StopTaskRequest,
  StopTaskResponse,
} from '@aws-sdk/client-ecs';
import { decodeToken, encodeToken } from '../paging';
import type { Call } from '../service';
import { nameFrom } from './arns';
import type { EcsContext } from './context';
import { invalidParameter, serviceNotFound, taskNotFound } from './errors';
import { groupOf } from './services/record';
import { resourceTagContext } from './tags';
import type { TaskRecord } from './task-record';
import { describedTask } from './task-view';

/** ECS API, DescribeTasks and ListTasks. */
const MAX_DESCRIBED = 100;
const MAX_PAGE = 100;
/** ECS API, StopTask.reason. Characters. */
const MAX_REASON = 1024;

/** Reason that ECS gives when StopTask came without one. */
const STOPPED_BY_USER = 'Task stopped by user';

/** Throws when the identifier is the ARN of a task in another cluster. */
function refuseOtherCluster(identifier: string, clusterName: string): void {
  const parts = identifier.split('/');
  if (parts.length === 3 && parts[1] !== clusterName) {
    throw invalidParameter(`Invalid identifier: Identifier is for ${parts[1]}. Your cluster is ${clusterName}`);
  }
}

/** The task id in an id or ARN. Throws if it can't be a task id. */
function taskIdOf(identifier: string): string {
  const id = identifier.split('/').at(-1) ?? '';
  if (id.length !== 32 && id.length !== 36) throw invalidParameter('taskId length should be one of [32,36]');
  return id;
}

function taskContext(clusterArn: string, record: TaskRecord | undefined): Record<string, string> {
  return { 'ecs:cluster': clusterArn, ...resourceTagContext(record?.tags ?? []) };
}

export const describeTasks =
  ({ clusters, tasks, arns }: EcsContext) =>
  (request: DescribeTasksRequest, call: Call): DescribeTasksResponse => {
    const clusterArn = arns.clusterNamed(request.cluster);
    const clusterName = nameFrom(clusterArn);
    const identifiers = request.tasks ?? [];
    if (identifiers.length === 0) throw invalidParameter('Tasks cannot be empty.');
    if (identifiers.length > MAX_DESCRIBED) {
      throw invalidParameter(`Tasks cannot be more than ${MAX_DESCRIBED}: ${identifiers.length} were given.`);
    }
    const withTags = request.include?.includes('TAGS') === true;
    const answer: Required<Pick<DescribeTasksResponse, 'tasks' | 'failures'>> = { tasks: [], failures: [] };
    const described = new Set<string>();
    for (const identifier of identifiers) {
      const id = taskIdOf(identifier);
      if (described.has(id)) continue;
      described.add(id);
      const arn = arns.task(clusterName, id);
      const record = tasks.describe(clusterName, id);
      call.authorize({ action: 'ecs:DescribeTasks', resource: arn, context: taskContext(clusterArn, record) });
      clusters.get(request.cluster);
      refuseOtherCluster(identifier, clusterName);
      if (record === undefined) answer.failures.push({ arn, reason: 'MISSING' });
      else answer.tasks.push(describedTask(record, withTags));
    }
    return answer;
  };

export const listTasks =
  ({ clusters, tasks, arns, services }: EcsContext) =>
  (request: ListTasksRequest, call: Call): ListTasksResponse => {
    const clusterArn = arns.clusterNamed(request.cluster);
    call.authorize({
      action: 'ecs:ListTasks',
      resource: arns.containerInstances(nameFrom(clusterArn)),
      context: { 'ecs:cluster': clusterArn },
    });
    const cluster = clusters.get(request.cluster);
    validateListTasks(request);
    const { desiredStatus = 'RUNNING', startedBy, family, launchType, maxResults = MAX_PAGE, nextToken } = request;
    const { serviceName } = request;
    if (serviceName !== undefined && services.find(cluster.name, serviceName) === undefined) throw serviceNotFound();
    const group = serviceName === undefined ? undefined : groupOf(nameFrom(serviceName));
    const query = JSON.stringify([cluster.name, desiredStatus, startedBy, family, launchType, group]);
    const after = nextToken === undefined ? 0 : decodeToken(nextToken, query);
    if (after === undefined) throw invalidParameter('Invalid token');
    const filter = { cluster: cluster.name, desiredStatus, startedBy, family, launchType, group };
    // Tasks of container instances: there are none here.
    const found = request.containerInstance === undefined ? tasks.list(filter, after, maxResults + 1) : [];
    const page = found.slice(0, maxResults);
    return {
      taskArns: page.map(({ task }) => task.taskArn ?? ''),
      nextToken: found.length > maxResults ? encodeToken(page.at(-1)?.sequence ?? 0, query) : undefined,
    };
  };

function validateListTasks(request: ListTasksRequest): void {
  const { desiredStatus, startedBy, family, launchType, maxResults, serviceName, containerInstance } = request;
  if (desiredStatus !== undefined && !['RUNNING', 'PENDING', 'STOPPED'].includes(desiredStatus)) {
    throw invalidParameter(`desiredStatus must be RUNNING, PENDING or STOPPED, not ${String(desiredStatus)}.`);
  }
  if (launchType !== undefined && !['EC2', 'FARGATE', 'EXTERNAL', 'MANAGED_INSTANCES'].includes(launchType)) {
    throw invalidParameter(`Unknown launch type: ${String(launchType)}.`);
  }
  if (maxResults !== undefined && (!Number.isInteger(maxResults) || maxResults < 1 || maxResults > MAX_PAGE)) {
    throw invalidParameter(`maxResults must be between 1 and ${MAX_PAGE}, not ${maxResults}.`);
  }
  const others = [family, launchType, serviceName, containerInstance].filter((value) => value !== undefined);
  if (startedBy !== undefined && others.length > 0) {
    throw invalidParameter('cannot specify startedBy with other arguments');
  }
  if (serviceName !== undefined && (family !== undefined || containerInstance !== undefined)) {
    throw invalidParameter('cannot specify serviceName with other arguments');
  }
}

export const stopTask =
  ({ clusters, tasks, arns, lifecycle, store }: EcsContext) =>
  async (request: StopTaskRequest, call: Call): Promise<StopTaskResponse> => {
    const clusterArn = arns.clusterNamed(request.cluster);
    const clusterName = nameFrom(clusterArn);
    const id = taskIdOf(request.task ?? '');
    const record = tasks.get(clusterName, id);
    call.authorize({
      action: 'ecs:StopTask',
      resource: arns.task(clusterName, id),
      context: taskContext(clusterArn, record),
    });
    clusters.get(request.cluster);
    refuseOtherCluster(request.task ?? '', clusterName);
    if ((request.reason ?? '').length > MAX_REASON) {
      throw invalidParameter(`reason must be at most ${MAX_REASON} characters.`);
    }
    if (record === undefined) throw taskNotFound();
    // "Any tags associated with the task will be deleted" (ECS API, StopTask).
    if (record.task.desiredStatus === 'RUNNING') record.tags = [];
    lifecycle.stop(record, 'UserInitiated', request.reason ?? STOPPED_BY_USER);
    await store.flush();
    return { task: describedTask(record, true) };
  };
