import type { ContainerDefinition } from '@aws-sdk/client-ecs';
import { MngrFargateError } from '../../contract/errors';
import { mapBounded } from '../../util/bounded';
import type { EcsTasks } from '../ecs-tasks';
import type { TaskSummary } from '../model';

const CALLS_AT_ONCE = 8;

/** Where one container of one task writes its log. */
export interface LogSource {
  readonly task: TaskSummary;
  /** Name of the container. */
  readonly container: string;
  readonly region: string;
  readonly group: string;
  readonly stream: string;
}

export interface LogSources {
  readonly sources: readonly LogSource[];
  /** Containers whose logs are elsewhere, and why they can't be read here. */
  readonly unread: readonly string[];
}

/**
 * The logs of all containers of tasks, or of the container that is named. Throws `not-found` where no task has a container
 * of this name, and `failed` where no container logs to CloudWatch Logs.
 */
export async function logSources(
  tasks: EcsTasks,
  found: readonly TaskSummary[],
  { container, signal }: { readonly container?: string; readonly signal?: AbortSignal } = {},
): Promise<LogSources> {
  const all = await mapBounded(found, CALLS_AT_ONCE, async (task) => {
    const definition = await tasks.definition(`${task.family}:${task.revision}`, signal);
    return (definition.containerDefinitions ?? [])
      .filter(({ name }) => container === undefined || name === container)
      .map((one) => sourceOf(tasks.place.region, task, one));
  });
  const sources = all.flat().filter((source) => typeof source !== 'string');
  const unread = [...new Set(all.flat().filter((source) => typeof source === 'string'))];
  if (sources.length > 0 || found.length === 0) return { sources, unread };
  if (unread.length === 0) {
    throw new MngrFargateError('not-found', `no task has a container ${container ?? ''}`, {
      hint: 'name one of: ' + [...new Set(found.flatMap((task) => task.containers.map(({ name }) => name)))].join(', '),
    });
  }
  throw new MngrFargateError('failed', unread.join('; '), {
    hint: 'only logs of the awslogs driver with a stream prefix are in CloudWatch Logs',
  });
}

/** A container's log, or in words why it can't be read. awslogs names a stream `PREFIX/CONTAINER/TASK` (ECS developer guide). */
function sourceOf(
  region: string,
  task: TaskSummary,
  { name = '', logConfiguration }: ContainerDefinition,
): LogSource | string {
  const options = logConfiguration?.options ?? {};
  const { 'awslogs-group': group, 'awslogs-stream-prefix': prefix, 'awslogs-region': elsewhere } = options;
  if (logConfiguration === undefined) return `container ${name} keeps no log`;
  if (logConfiguration.logDriver !== 'awslogs' || group === undefined) {
    return `container ${name} logs with ${logConfiguration.logDriver ?? 'no driver'}, not to CloudWatch Logs`;
  }
  if (prefix === undefined)
    return `container ${name} logs without awslogs-stream-prefix, so its stream has no known name`;
  return { task, container: name, region: elsewhere ?? region, group, stream: `${prefix}/${name}/${task.taskId}` };
}
