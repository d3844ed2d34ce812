import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { MngrFargateError } from '../contract/errors';
import { parseTaskArn } from '../contract/task-arn';
import type { EcsTasks } from './ecs-tasks';
import { findTasks, nothingRuns, stoppedError } from './find';
import { namedOrOnly, onlyEssential, ownContainers } from './implied-container';
import type { TaskContainer, TaskSummary } from './model';
import { isLive } from './model';
import type { TaskSelector } from './selector';
import { selectorText } from './selector';

/** One container of one task: what `connect`, `exec`, `forward` and others act on. */
export interface Target {
  readonly taskArn: string;
  readonly taskId: string;
  /** Name of the cluster. */
  readonly cluster: string;
  readonly region: string;
  readonly service: string | null;
  readonly family: string;
  readonly revision: number;
  /** Name of the container. */
  readonly container: string;
  /** Null until the container has started. */
  readonly runtimeId: string | null;
  /** `ecs:CLUSTER_TASK_RUNTIME`, what Session Manager calls the container; null until it has started. */
  readonly sessionTarget: string | null;
  /** Whether the task was started with ECS Exec. */
  readonly execEnabled: boolean;
  /** State of ECS Exec's agent in the container: PENDING, RUNNING, STOPPED; null where there is none. */
  readonly execAgent: string | null;
  /** All that ECS says about the task. */
  readonly task: TaskSummary;
}

/** Lets a person choose. Throws when nothing is chosen. */
export interface Chooser {
  readonly task: (candidates: readonly TaskSummary[]) => Promise<TaskSummary>;
  readonly container: (candidates: readonly TaskContainer[]) => Promise<TaskContainer>;
}

export interface ResolveOptions {
  /** Of several tasks the one that was created last. Default false. */
  readonly newest?: boolean;
  /** Default: nobody is asked, and a selector that several tasks or containers match is refused. */
  readonly choose?: Chooser;
  /** Also a task that has stopped. Default false. */
  readonly stopped?: boolean;
  readonly signal?: AbortSignal;
}

/**
 * The one container that a selector means. Throws `not-found` where there is none, `task-stopped` where the task has
 * ended, and `usage` with `details.candidates` where several match and nobody chooses.
 */
export async function resolveTarget(
  tasks: EcsTasks,
  selector: TaskSelector,
  options: ResolveOptions = {},
): Promise<Target> {
  const task = await resolveTask(tasks, selector, options);
  return targetOf(tasks.place.region, task, await containerOf(tasks, task, selector, options));
}

/** The one task that a selector means. Throws as `resolveTarget`. */
export async function resolveTask(
  tasks: EcsTasks,
  selector: TaskSelector,
  options: ResolveOptions = {},
): Promise<TaskSummary> {
  const { stopped = false, signal } = options;
  const found = await findTasks(tasks, selector, { stopped, signal });
  const usable = stopped ? found : found.filter(isLive);
  // Beside tasks that run, those that are still starting aren't meant.
  const running = usable.filter(({ state }) => state === 'RUNNING');
  const candidates = running.length > 0 ? running : usable;
  const [first] = candidates;
  if (first === undefined) {
    const [only] = found;
    throw selector.task !== undefined && only !== undefined && found.length === 1
      ? stoppedError(only)
      : await nothingRuns(tasks, selector, signal);
  }
  if (candidates.length === 1 || options.newest === true) return first;
  if (options.choose !== undefined) return options.choose.task(candidates);
  throw new MngrFargateError('usage', `${candidates.length} tasks match ${selectorText(selector)}`, {
    hint: 'name one of them with --task, or take the newest with --newest',
    details: { candidates: candidates.map(candidateOf) },
  });
}

/** A task among those to choose from, as `error.details.candidates` shows it. */
function candidateOf(task: TaskSummary) {
  const { taskArn, cluster, service, family, revision, state, startedAt, availabilityZone, privateIp } = task;
  const containers = task.containers.map(({ name }) => name);
  return { taskArn, cluster, service, family, revision, state, startedAt, availabilityZone, privateIp, containers };
}

/**
 * The container that is meant: the one that is named, else the only one, the one with the service's or the family's name, or
 * the only essential one.
 */
async function containerOf(
  tasks: EcsTasks,
  task: TaskSummary,
  { container: wanted }: TaskSelector,
  { choose, signal }: ResolveOptions,
): Promise<TaskContainer> {
  const { containers } = task;
  if (wanted !== undefined) return containerNamed(task, wanted);
  const names = containers.map(({ name }) => name);
  const implied = namedOrOnly(names, task) ?? onlyEssential(await definitionOf(tasks, task, signal));
  const meant = containers.find(({ name }) => name === implied);
  if (meant !== undefined) return meant;
  const own = containers.filter(({ name }) => ownContainers(names).includes(name));
  if (choose !== undefined && own.length > 0) return choose.container(own);
  throw new MngrFargateError('usage', `task ${task.taskId} has ${own.length} containers`, {
    hint: `name one of them with --container: ${own.map(({ name }) => name).join(', ')}`,
    details: { candidates: own.map(({ name, state, execAgent }) => ({ container: name, state, execAgent })) },
  });
}

function containerNamed({ containers, taskId }: TaskSummary, wanted: string): TaskContainer {
  const found = containers.find(({ name }) => name === wanted);
  if (found !== undefined) return found;
  throw new MngrFargateError('not-found', `task ${taskId} has no container ${wanted}`, {
    hint: `its containers: ${containers.map(({ name }) => name).join(', ') || 'none yet'}`,
  });
}

/** Empty where the task definition may not be read. */
const definitionOf = (tasks: EcsTasks, task: TaskSummary, signal?: AbortSignal): Promise<TaskDefinition> =>
  tasks.definition(`${task.family}:${task.revision}`, signal).catch((): TaskDefinition => ({}));

/** One container of a task as a target. */
export function targetOf(region: string, task: TaskSummary, container: TaskContainer): Target {
  const { taskArn, taskId, cluster, service, family, revision, execEnabled } = task;
  const { runtimeId } = container;
  return {
    taskArn,
    taskId,
    cluster,
    region: parseTaskArn(taskArn)?.region ?? region,
    service,
    family,
    revision,
    container: container.name,
    runtimeId,
    sessionTarget: runtimeId === null ? null : `ecs:${cluster}_${taskId}_${runtimeId}`,
    execEnabled,
    execAgent: container.execAgent,
    task,
  };
}
