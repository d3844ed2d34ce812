import { StopTaskCommand, TagResourceCommand, UntagResourceCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { startedByOf } from '../../contract/host-name';
import { pause } from '../../util/abort';
import { ClusterTasks } from '../../aws/cluster-tasks';
import { awsErrorOf } from '../../aws/aws-errors';
import type { EcsClient } from '../../aws/ecs-client';
import { familyOf } from '../../contract/task-definition-family';
import { isLive } from '../model/task-view';
import { VISIBLE_AFTER_MS, VISIBLE_INTERVAL_MS } from './visibility';

/** ECS API, StopTask.reason. Characters. */
const MAX_REASON = 1024;

export { TASKS_PER_CALL } from '../../aws/cluster-tasks';
export type { DescribedTasks, TaskFilter, TaskPage } from '../../aws/cluster-tasks';

/** What a host was launched as. */
export interface LaunchName {
  readonly provider: string;
  readonly name: string;
  /** Family of the task definition. */
  readonly environment: string;
}

/** The tasks of one cluster. */
export class Tasks extends ClusterTasks {
  /** Fulfilled once ECS has accepted a tag of this launcher, so that it may be trusted to accept more. */
  readonly tagAccepted: Promise<void>;
  private acceptTag: () => void = () => undefined;

  constructor(ecs: EcsClient, cluster: string) {
    super(ecs, cluster);
    this.tagAccepted = new Promise((resolve) => {
      this.acceptTag = resolve;
    });
  }

  /** AWS's time, milliseconds since 1970. */
  now(): number {
    return this.ecs.now();
  }

  /** Waits. Throws `aborted`. */
  pause(milliseconds: number, doing: string, signal?: AbortSignal): Promise<void> {
    return pause(milliseconds, doing, signal);
  }

  /**
   * `describe` for tasks that were launched no later than `launchedAt` (milliseconds since 1970, by AWS's clock): while ECS
   * may not show them yet, those that are missing are asked for again.
   */
  async describeLaunched(arns: readonly string[], launchedAt: number, signal?: AbortSignal): Promise<Task[]> {
    const wanted = new Set(arns).size;
    const visibleAt = this.visibleAt(launchedAt);
    for (;;) {
      // Taken before the look: a look that begins after that time is certain.
      const certain = this.now() >= visibleAt;
      const tasks = await this.describe(arns, signal);
      if (tasks.length >= wanted || certain) return tasks;
      await this.pause(VISIBLE_INTERVAL_MS, 'waiting for ECS to show a task', signal);
    }
  }

  /** When absence of a task that was launched then is certain. A time in the future, from a wrong clock, counts as now. */
  private visibleAt(launchedAt: number): number {
    return Math.min(launchedAt, this.now()) + VISIBLE_AFTER_MS;
  }

  /** Tasks of the environment that were launched under this name: live ones, or stopped ones that ECS still shows. */
  async named(
    { provider, name, environment }: LaunchName,
    desiredStatus: 'RUNNING' | 'STOPPED',
    signal?: AbortSignal,
  ): Promise<Task[]> {
    const startedBy = startedByOf(provider, name);
    const found =
      desiredStatus === 'STOPPED'
        ? await this.listAndDescribe({ startedBy, desiredStatus }, signal)
        : await this.describeLaunched(await this.liveArnsStartedBy(startedBy, signal), this.now(), signal);
    return found.filter(({ taskDefinitionArn = '' }) => familyOf(taskDefinitionArn) === environment);
  }

  /** ARNs of the live tasks with exactly this `startedBy`: one call. */
  async liveArnsStartedBy(startedBy: string, signal?: AbortSignal): Promise<string[]> {
    const arns: string[] = [];
    for await (const page of this.listPages({ startedBy, desiredStatus: 'RUNNING' }, signal)) arns.push(...page);
    return arns;
  }

  /**
   * Stops a task. One that ECS doesn't find may have been launched a moment ago: it counts as stopped only when ECS shows
   * it as stopped, or when it would have to be visible by now. `launchedAt` is in milliseconds since 1970; without it the
   * wait is counted from now.
   */
  async stop(arn: string, reason: string, signal?: AbortSignal, launchedAt: number = this.now()): Promise<void> {
    const command = new StopTaskCommand({ cluster: this.cluster, task: arn, reason: reason.slice(0, MAX_REASON) });
    const visibleAt = this.visibleAt(launchedAt);
    for (;;) {
      const certain = this.now() >= visibleAt;
      try {
        await this.ecs.send(command, `stop task ${arn}`, { signal });
        return;
      } catch (error) {
        if (!isTaskMissing(error)) throw error;
        const [task] = await this.describe([arn], signal);
        if (task === undefined ? certain : !isLive(task)) return;
        if (certain) throw error;
      }
      await this.pause(VISIBLE_INTERVAL_MS, `stopping task ${arn}`, signal);
    }
  }

  async tag(arn: string, tags: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void> {
    const list = Object.entries(tags).map(([key, value]) => ({ key, value }));
    await this.ecs.send(new TagResourceCommand({ resourceArn: arn, tags: list }), `tag task ${arn}`, { signal });
    this.acceptTag();
  }

  async untag(arn: string, tagKeys: readonly string[], signal?: AbortSignal): Promise<void> {
    const command = new UntagResourceCommand({ resourceArn: arn, tagKeys: [...tagKeys] });
    await this.ecs.send(command, `remove tags of task ${arn}`, { signal });
  }
}

const isTaskMissing = (error: unknown): boolean => {
  const { name, message = '' } = awsErrorOf(error) ?? {};
  return name === 'InvalidParameterException' && /^The referenced task was not found/.test(message);
};
