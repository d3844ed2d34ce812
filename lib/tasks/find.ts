import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import { clusterNameOf } from '../contract/task-arn';
import { nearest } from '../util/nearest';
import { awsErrorOf } from '../aws/aws-errors';
import type { TaskFilter } from '../aws/cluster-tasks';
import type { EcsTasks } from './ecs-tasks';
import type { TaskSummary } from './model';
import { byAge, taskSummary } from './model';
import type { TaskSelector } from './selector';
import { selectorText } from './selector';

/** Ids of tasks that ECS takes: today's, and those with hyphens of before. */
const WHOLE_ID = /^(?:[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

export interface FindOptions {
  /** Also tasks that stopped within about the last hour, for as long as ECS shows them. Default false. */
  readonly stopped?: boolean;
  readonly signal?: AbortSignal;
}

/** The tasks that a selector names, newest first; a task by its id or ARN is there even when it has stopped. */
export async function findTasks(
  tasks: EcsTasks,
  selector: TaskSelector,
  options: FindOptions = {},
): Promise<TaskSummary[]> {
  try {
    const found = await candidates(tasks, selector, options);
    return found.filter((task) => isNamed(task, selector)).sort(byAge);
  } catch (error) {
    throw await explained(error, tasks, selector);
  }
}

async function candidates(
  tasks: EcsTasks,
  selector: TaskSelector,
  { stopped = false, signal }: FindOptions,
): Promise<TaskSummary[]> {
  const { service, family, task } = selector;
  const cluster = tasks.cluster(selector.cluster);
  const id = task?.split('/').pop();
  if (task !== undefined && id !== undefined && (task.startsWith('arn:') || WHOLE_ID.test(id))) {
    return (await cluster.describe([task], signal)).map(taskSummary);
  }
  // ListTasks takes a service or a family, not both (ECS API).
  const filter: TaskFilter =
    service !== undefined ? { serviceName: service.split('/').pop() } : { family: family?.split(':')[0] };
  const states = stopped || id !== undefined ? (['RUNNING', 'STOPPED'] as const) : (['RUNNING'] as const);
  const found = await Promise.all(
    states.map((desiredStatus) => cluster.listAndDescribe({ ...filter, desiredStatus }, signal)),
  );
  // A task that ends between the two calls is in both.
  return [...new Map(found.flat().map((one) => [one.taskArn, taskSummary(one)])).values()];
}

/** ECS has filtered by one name at most; the others are compared here. */
function isNamed(task: TaskSummary, { service, family, task: id }: TaskSelector): boolean {
  const [name, revision] = family?.split(':') ?? [];
  return (
    (service === undefined || task.service === (service.split('/').pop() ?? '')) &&
    (name === undefined || task.family === name) &&
    (revision === undefined || task.revision === Number(revision)) &&
    (id === undefined || task.taskId.startsWith(id.split('/').pop() ?? ''))
  );
}

/** ECS's refusal of a cluster or service that isn't there, with what it may be called. */
async function explained(error: unknown, tasks: EcsTasks, selector: TaskSelector): Promise<unknown> {
  const { name } = awsErrorOf(error) ?? {};
  const cluster = clusterNameOf(selector.cluster);
  if (name === 'ClusterNotFoundException' && isMngrFargateError(error)) {
    return new MngrFargateError('not-found', `cluster ${cluster} does not exist in ${tasks.place.region}`, {
      cause: error,
      hint: 'list the clusters with `aws ecs list-clusters`, or name another region with --region',
      details: error.details,
    });
  }
  if (name !== 'ServiceNotFoundException' || selector.service === undefined) return error;
  const service = selector.service.split('/').pop() ?? '';
  const names = await tasks.serviceArns(selector.cluster).then(
    (arns) => arns.map((arn) => arn.split('/').pop() ?? ''),
    () => [],
  );
  const meant = nearest(service, names);
  return new MngrFargateError('not-found', `cluster ${cluster} has no service ${service}`, {
    cause: error,
    hint:
      meant === undefined ? `list its tasks with: mngr-fargate tasks --cluster ${cluster}` : `did you mean ${meant}?`,
    details: { services: names.slice(0, 100) },
  });
}

/** `not-found` for a selector without a running task, with why the last one stopped where ECS still shows it. */
export async function nothingRuns(tasks: EcsTasks, selector: TaskSelector, signal?: AbortSignal): Promise<Error> {
  const stopped = await findTasks(tasks, selector, { stopped: true, signal }).catch((): TaskSummary[] => []);
  const last = stopped.filter(({ stoppedAt }) => stoppedAt !== null).sort(byStop)[0];
  const words = selectorText(selector);
  if (last === undefined) {
    return new MngrFargateError('not-found', `no task of ${words} runs`, {
      hint: `list its tasks with: mngr-fargate tasks --cluster ${clusterNameOf(selector.cluster)} --stopped`,
    });
  }
  return stoppedError(last, `no task of ${words} runs; the last one stopped`);
}

const byStop = (one: TaskSummary, other: TaskSummary): number =>
  (other.stoppedAt ?? '').localeCompare(one.stoppedAt ?? '');

/** `task-stopped`, with what ECS says about it. `said` begins the message. */
export function stoppedError(task: TaskSummary, said = `task ${task.taskId} has stopped`): MngrFargateError {
  const { taskArn, stopCode, stoppedReason, stoppedAt } = task;
  const containers = task.containers
    .filter(({ exitCode, reason }) => exitCode !== null || reason !== null)
    .map(({ name, exitCode, reason }) => ({ name, exitCode, reason }));
  return new MngrFargateError('task-stopped', stoppedReason === null ? said : `${said}: ${stoppedReason}`, {
    hint: `see what it wrote with: mngr-fargate logs --task ${taskArn}`,
    details: { taskArn, stopCode, stoppedReason, stoppedAt, containers },
  });
}
