import {
  DeregisterTaskDefinitionCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import type { Tag, Task } from '@aws-sdk/client-ecs';
import { MngrFargateError } from '../../contract/errors';
import { SHELL_STARTED_BY, SHELL_TAGS } from '../../contract/shell-tasks';
import { pause } from '../../util/abort';
import type { EcsTasks } from '../ecs-tasks';
import { findTasks, stoppedError } from '../find';
import { taskIdOf } from '../model';
import { targetOf } from '../resolve';
import type { Target } from '../resolve';
import type { TaskSelector } from '../selector';
import { shellDefinition } from './definition';
import type { ShellChanges } from './definition';
import { shellSource } from './source';
import type { OwnFamily, ShellSource } from './source';
import type { WatchLimits } from './watcher';
import { watcherCommand } from './watcher';

export interface ShellTaskOptions extends ShellChanges, WatchLimits {
  /** Variables of the container beside its definition's. Whoever may describe the task sees them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Who starts it, for a tag; other characters than ECS allows there become hyphens. */
  readonly who: string;
  /** A family that may be named without a service of its own. */
  readonly own?: OwnFamily;
  readonly signal?: AbortSignal;
  /** Is told the task's ARN as soon as it exists. */
  readonly onStarted?: (taskArn: string) => void;
}

/** ECS API, Tag: a value. Characters, and those that are allowed. */
const MAX_TAG_VALUE = 256;
const NOT_IN_TAGS = /[^\p{L}\p{N} +\-=._:/@]/gu;
/** Milliseconds in which the task must have started and its agent answer. */
const START_TIMEOUT_MS = 10 * 60_000;
const LOOK_MS = 1000;

/** For the reaper, the second line after the task's own watcher, and for whoever looks at the task. */
const tagsOf = ({ who, maxLifetime }: ShellTaskOptions): Tag[] => [
  { key: SHELL_TAGS.owner, value: who.replaceAll(NOT_IN_TAGS, '-').slice(0, MAX_TAG_VALUE) },
  { key: SHELL_TAGS.maxLifetime, value: String(maxLifetime) },
];

/**
 * Runs `work` with the container of a new task that is like a service's or a family's, and ends by itself
 * (docs/decisions/128). The task is stopped when `work`, or what comes before it, throws or is aborted. Throws as
 * `shellSource` and `shellDefinition`, `task-stopped` when the task ends before its agent answers, and `timed-out`.
 */
export async function withShellTask<Result>(
  tasks: EcsTasks,
  selector: TaskSelector,
  options: ShellTaskOptions,
  work: (target: Target) => Promise<Result>,
): Promise<Result> {
  const { own, signal } = options;
  const source = await shellSource(tasks, selector, { own, signal });
  const task = await start(tasks, selector.cluster, source, options);
  const taskArn = task.taskArn ?? '';
  try {
    options.onStarted?.(taskArn);
    return await work(await reachable(tasks, selector.cluster, { taskArn, container: source.container, signal }));
  } catch (error) {
    // The first error says what went wrong, and a task that isn't stopped ends by itself.
    await stopShellTask(tasks, selector.cluster, taskArn).catch(() => undefined);
    throw error;
  }
}

/** Stops the task of a shell before its time. */
export async function stopShellTask(tasks: EcsTasks, cluster: string, task: string): Promise<void> {
  const command = new StopTaskCommand({ cluster, task, reason: 'the shell was left' });
  await tasks.ecs.send(command, `stop task ${taskIdOf(task)}`);
}

/** RunTask from a definition that is there for this call only. */
async function start(tasks: EcsTasks, cluster: string, source: ShellSource, options: ShellTaskOptions): Promise<Task> {
  const { signal } = options;
  const request = shellDefinition(source.definition, source.container, options);
  const { taskDefinition } = await tasks.ecs.send(
    new RegisterTaskDefinitionCommand(request),
    `register task definition ${request.family ?? ''}`,
    // Not aborted once it is sent: what is registered must be known to be taken back.
    { signal, onSend: () => undefined },
  );
  const definition = taskDefinition?.taskDefinitionArn ?? '';
  try {
    return await run(tasks, { cluster, definition, source }, options);
  } finally {
    // A running task keeps its definition. Without the permission to deregister, one revision stays, and does no harm.
    await tasks.ecs
      .send(new DeregisterTaskDefinitionCommand({ taskDefinition: definition }), `deregister ${definition}`)
      .catch(() => undefined);
  }
}

async function run(
  tasks: EcsTasks,
  from: { readonly cluster: string; readonly definition: string; readonly source: ShellSource },
  options: ShellTaskOptions,
): Promise<Task> {
  const { network, container } = from.source;
  const strategy = network.capacityProviderStrategy ?? [];
  const command = new RunTaskCommand({
    cluster: from.cluster,
    taskDefinition: from.definition,
    count: 1,
    enableExecuteCommand: true,
    startedBy: SHELL_STARTED_BY,
    tags: tagsOf(options),
    networkConfiguration: network.networkConfiguration,
    platformVersion: network.platformVersion,
    ...(strategy.length > 0 ? { capacityProviderStrategy: strategy } : { launchType: network.launchType }),
    overrides: {
      containerOverrides: [
        {
          name: container,
          command: [...watcherCommand(options)],
          environment: Object.entries(options.env ?? {}).map(([name, value]) => ({ name, value })),
        },
      ],
    },
  });
  const { signal } = options;
  const answer = await tasks.ecs.send(command, `run a task in cluster ${from.cluster}`, {
    signal,
    onSend: () => undefined,
  });
  const [task] = answer.tasks ?? [];
  if (task !== undefined) return task;
  const reason = answer.failures?.[0]?.reason ?? 'ECS gave no reason';
  throw new MngrFargateError(/capacity/i.test(reason) ? 'no-capacity' : 'failed', `no task was started: ${reason}`);
}

/** The container once its agent runs. */
async function reachable(
  tasks: EcsTasks,
  cluster: string,
  wanted: { readonly taskArn: string; readonly container: string; readonly signal?: AbortSignal },
): Promise<Target> {
  const { taskArn, signal } = wanted;
  const deadline = Date.now() + START_TIMEOUT_MS;
  for (;;) {
    // ECS may not know a new task for a moment.
    const [task] = await findTasks(tasks, { cluster, task: taskArn }, { signal });
    if (task?.desiredState === 'STOPPED') throw stoppedError(task, `task ${task.taskId} ended before the shell began`);
    const container = task?.containers.find(({ name }) => name === wanted.container);
    if (task !== undefined && container?.execAgent === 'RUNNING') {
      return targetOf(tasks.place.region, task, container);
    }
    if (container?.execAgent === 'STOPPED' || Date.now() > deadline) {
      throw new MngrFargateError(
        container?.execAgent === 'STOPPED' ? 'unreachable' : 'timed-out',
        `the agent of ECS Exec in task ${taskIdOf(taskArn)} did not start`,
        { hint: 'see what is missing with: mngr-fargate doctor' },
      );
    }
    await pause(LOOK_MS, 'waiting for the task of the shell', signal);
  }
}
