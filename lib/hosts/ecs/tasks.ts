import {
  DescribeTasksCommand,
  ListTasksCommand,
  StopTaskCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecs';
import type { ListTasksCommandInput, Task } from '@aws-sdk/client-ecs';
import { startedByOf } from '../../contract/host-name';
import { pause } from '../../util/abort';
import { inBatches, mapBounded } from '../../util/bounded';
import { awsErrorOf } from '../../aws/aws-errors';
import type { EcsClient } from '../../aws/ecs-client';
import { familyOf } from '../../contract/task-definition-family';
import { isLive } from '../model/task-view';
import { VISIBLE_AFTER_MS, VISIBLE_INTERVAL_MS } from './visibility';

/** DescribeTasks accepts at most this many ids, and ListTasks returns at most as many. */
export const TASKS_PER_CALL = 100;
const CALLS_AT_ONCE = 8;
/** ECS API, StopTask.reason. */
const MAX_REASON = 1024;

export type TaskFilter = Pick<ListTasksCommandInput, 'startedBy' | 'family' | 'desiredStatus'>;

export interface TaskPage {
  readonly arns: readonly string[];
  /** Undefined after the last page. */
  readonly nextToken?: string;
}

export interface DescribedTasks {
  readonly tasks: readonly Task[];
  /** Tasks that ECS didn't describe. Those with the reason `MISSING` no longer exist. */
  readonly failures: readonly { readonly arn: string; readonly reason: string }[];
}

/** What a host was launched as. */
export interface LaunchName {
  readonly provider: string;
  readonly name: string;
  /** Family of the task definition. */
  readonly environment: string;
}

/** The tasks of one cluster. */
export class Tasks {
  /** Fulfilled once ECS has accepted a tag of this launcher, so that it may be trusted to accept more. */
  readonly tagAccepted: Promise<void>;
  private acceptTag: () => void = () => undefined;

  constructor(
    private readonly ecs: EcsClient,
    private readonly cluster: string,
  ) {
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

  /** One call, for at most a hundred tasks. Throws `usage` for a token that ECS no longer knows. */
  async page(filter: TaskFilter, nextToken?: string, signal?: AbortSignal): Promise<TaskPage> {
    const { cluster } = this;
    const command = new ListTasksCommand({ cluster, maxResults: TASKS_PER_CALL, nextToken, ...filter });
    const answer = await this.ecs.send(command, `list tasks of cluster ${cluster}`, { signal });
    return { arns: answer.taskArns ?? [], nextToken: answer.nextToken };
  }

  /** One call, for at most a hundred tasks. Returns the tasks with their tags. */
  async describePage(arns: readonly string[], signal?: AbortSignal): Promise<DescribedTasks> {
    const { cluster } = this;
    const command = new DescribeTasksCommand({ cluster, tasks: [...arns], include: ['TAGS'] });
    const answer = await this.ecs.send(command, `describe tasks of cluster ${cluster}`, { signal });
    const { tasks = [], failures = [] } = answer;
    return { tasks, failures: failures.map(({ arn = '', reason = 'ECS gives no reason' }) => ({ arn, reason })) };
  }

  /** Tasks with their tags, in the order of the ARNs, without those that ECS no longer shows. */
  async describe(arns: readonly string[], signal?: AbortSignal): Promise<Task[]> {
    const pages = inBatches(arns, TASKS_PER_CALL);
    const answers = await mapBounded(pages, CALLS_AT_ONCE, (page) => this.describePage(page, signal));
    return answers.flatMap(({ tasks }) => tasks);
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

  /** Yields ARNs page by page, so that a caller can describe one page while the next is fetched. */
  async *listPages(filter: TaskFilter, signal?: AbortSignal): AsyncGenerator<readonly string[]> {
    let nextToken: string | undefined;
    do {
      const page = await this.page(filter, nextToken, signal);
      nextToken = page.nextToken;
      yield page.arns;
    } while (nextToken !== undefined);
  }

  /**
   * Every task that matches a filter, with two calls per hundred; listing and describing run in parallel. `onTasks` gets
   * each hundred as soon as it is described.
   */
  async listAndDescribe(
    filter: TaskFilter,
    signal?: AbortSignal,
    onTasks: (tasks: readonly Task[]) => void = () => undefined,
  ): Promise<Task[]> {
    const described: Promise<DescribedTasks>[] = [];
    for await (const arns of this.listPages(filter, signal)) {
      if (arns.length === 0) continue;
      const answer = this.describePage(arns, signal).then((page) => {
        onTasks(page.tasks);
        return page;
      });
      // A failure is thrown by Promise.all below; until then it must not count as unhandled.
      answer.catch(() => undefined);
      described.push(answer);
    }
    return (await Promise.all(described)).flatMap(({ tasks }) => tasks);
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
  return name === 'InvalidParameterException' && /not found/i.test(message);
};
