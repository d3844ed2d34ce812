import type { Task } from '@aws-sdk/client-ecs';
import { isMngrFargateError, MngrFargateError } from '../../lib/contract/errors';
import { HOST_TAGS } from '../../lib/contract/tags';
import { hasEnded } from '../../lib/hosts/ecs/stopped-task';
import { isLive, nameOf, tagsOf } from '../../lib/hosts/model/task-view';
import type { Tasks } from '../../lib/hosts/ecs/tasks';

export interface DrainOptions {
  /** Task definition family of the hosts. */
  readonly family: string;
  /** Id (ARN) of the environment's stack. */
  readonly stackId: string;
  /** Leave running hosts alone, and fail. */
  readonly retain: boolean;
  /** Called between two looks. */
  readonly pause: () => Promise<void>;
  /** True once there is no time for another look. */
  readonly isOver: () => boolean;
  /** Writes one line of the log. */
  readonly tell: (line: { readonly notice: string } & Readonly<Record<string, unknown>>) => void;
}

const REASON = 'removed with its environment';
/** Looks in a row that must show no host: ECS may not list a task yet that was started a moment ago. */
const EMPTY_LOOKS = 2;
/** Hosts that an error names. */
const NAMED = 5;

/**
 * Ends all hosts of an environment and waits until they are gone, network interfaces included. Hosts of other stacks
 * are theirs to end: with one of them, and with any when they are to be retained, nothing is stopped.
 *
 * @returns how many were stopped
 * @throws MngrFargateError that names the hosts which are in the way
 */
export async function drain(tasks: Tasks, options: DrainOptions): Promise<number> {
  const stopped = new Set<string>();
  for (let emptyLooks = 0; ; await options.pause()) {
    const hosts = await hostsOf(tasks, options.family, stopped);
    const live = hosts.filter(isLive);
    if (live.length > 0) refuse(live, options);
    for (const host of live) {
      const taskArn = host.taskArn ?? '';
      await tasks.stop(taskArn, REASON);
      if (!stopped.has(taskArn)) options.tell({ notice: 'host-stopped', host: nameOf(host), taskArn });
      stopped.add(taskArn);
    }
    emptyLooks = hosts.every(hasEnded) ? emptyLooks + 1 : 0;
    if (emptyLooks === EMPTY_LOOKS) return stopped.size;
    if (options.isOver()) {
      const left = hosts.filter((host) => !hasEnded(host));
      throw new MngrFargateError('timed-out', `not stopped in time: ${describe(left)}`, {
        hint: 'delete the stack again, or check in ECS what keeps the tasks from stopping',
      });
    }
  }
}

function refuse(live: readonly Task[], { stackId, retain }: DrainOptions): void {
  const foreign = live.filter((host) => (tagsOf(host)[HOST_TAGS.stackId] ?? stackId) !== stackId);
  const [first] = foreign;
  if (first !== undefined) {
    throw new MngrFargateError(
      'usage',
      `${describe(foreign)} cannot be stopped here: other stacks own them, such as ${tagsOf(first)[HOST_TAGS.stackId]}`,
      { hint: 'delete those stacks first' },
    );
  }
  if (!retain) return;
  throw new MngrFargateError('usage', `running with retainHosts set: ${describe(live)}`, {
    hint: 'destroy them with mngr-fargate destroy, or deploy with retainHosts=false, then delete the stack again',
  });
}

/** Live hosts, and those that are known to be stopping. */
async function hostsOf(tasks: Tasks, family: string, known: ReadonlySet<string>): Promise<Task[]> {
  const arns = new Set(known);
  try {
    for await (const page of tasks.listPages({ family })) for (const arn of page) arns.add(arn);
  } catch (error) {
    // The cluster is gone, and everything in it.
    if (isMngrFargateError(error) && error.code === 'not-found') return [];
    throw error;
  }
  const described = await tasks.describe([...arns]);
  return described.filter((task) => known.has(task.taskArn ?? '') || tagsOf(task)[HOST_TAGS.hostId] !== undefined);
}

function describe(hosts: readonly Task[]): string {
  const names = hosts.slice(0, NAMED).map(nameOf).join(', ');
  const more = hosts.length > NAMED ? ` and ${hosts.length - NAMED} more` : '';
  return `${hosts.length === 1 ? 'host' : 'hosts'} ${names}${more}`;
}
