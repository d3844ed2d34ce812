import {
  DescribeTasksCommand,
  ListTasksCommand,
  StopTaskCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecs';
import type { ListTasksCommandInput, Task } from '@aws-sdk/client-ecs';
import { startedByOf } from '../../contract/host-name';
import type { ProviderConfig } from '../../contract/provider-config';
import { mapBounded } from '../../util/bounded';
import { awsProblem } from './aws-errors';
import type { AwsClients } from './clients';
import { RateLimiter } from './rate-limiter';
import { retryThrottled } from './throttling';

/** DescribeTasks takes at most this many ids, and ListTasks shows at most as many. */
export const TASKS_PER_CALL = 100;
const CALLS_AT_ONCE = 8;

/**
 * AWS's buckets for this account and region (ECS developer guide, "Request throttling"), less a margin for what the network
 * does to the calls' spacing; burst and calls a second.
 */
const READS = [90, 19.5] as const;
const TAGS = [18, 9.8] as const;

type Filter = Pick<ListTasksCommandInput, 'startedBy' | 'family' | 'desiredStatus'>;

/** The ECS calls on tasks of one cluster, paced, paged and retried, with AWS's errors in our terms. */
export class Tasks {
  private readonly reads = new RateLimiter(...READS);
  private readonly tagging = new RateLimiter(...TAGS);

  constructor(
    private readonly clients: AwsClients,
    private readonly config: ProviderConfig,
  ) {}

  /** Tasks with their tags, in the order of the ARNs; those that ECS doesn't show any more are left out. */
  async describe(arns: readonly string[], signal?: AbortSignal): Promise<Task[]> {
    const batches: string[][] = [];
    for (let at = 0; at < arns.length; at += TASKS_PER_CALL) batches.push(arns.slice(at, at + TASKS_PER_CALL));
    const answers = await mapBounded(batches, CALLS_AT_ONCE, (batch) => this.describeBatch(batch, signal));
    return answers.flat();
  }

  /** ARNs page by page, so that a caller can describe one page while the next is fetched. */
  async *listPages(filter: Filter, signal?: AbortSignal): AsyncGenerator<string[]> {
    let nextToken: string | undefined;
    do {
      const page = await this.read(
        'list tasks',
        (abortSignal) =>
          this.clients.ecs.send(
            new ListTasksCommand({
              cluster: this.config.ecs_cluster,
              maxResults: TASKS_PER_CALL,
              nextToken,
              ...filter,
            }),
            { abortSignal },
          ),
        signal,
      );
      nextToken = page.nextToken;
      yield page.taskArns ?? [];
    } while (nextToken !== undefined);
  }

  /** Every task of a filter, two calls per hundred, listing and describing side by side. */
  async listAndDescribe(filter: Filter, signal?: AbortSignal): Promise<Task[]> {
    const described: Promise<Task[]>[] = [];
    for await (const arns of this.listPages(filter, signal)) {
      if (arns.length === 0) continue;
      const answer = this.describeBatch(arns, signal);
      // A failure is thrown by Promise.all below; until then it must not count as unhandled.
      answer.catch(() => undefined);
      described.push(answer);
    }
    return (await Promise.all(described)).flat();
  }

  /** Tasks that were launched by this name, live ones, or those that ECS still shows as stopped. */
  async named(
    provider: string,
    name: string,
    desiredStatus: 'RUNNING' | 'STOPPED',
    signal?: AbortSignal,
  ): Promise<Task[]> {
    return this.listAndDescribe({ startedBy: startedByOf(provider, name), desiredStatus }, signal);
  }

  /** ARNs of the live tasks with this very `startedBy`: one call. */
  async liveArnsStartedBy(startedBy: string): Promise<string[]> {
    const arns: string[] = [];
    for await (const page of this.listPages({ startedBy, desiredStatus: 'RUNNING' })) arns.push(...page);
    return arns;
  }

  /** Stops a task; one that is gone already is stopped. */
  async stop(arn: string, reason: string, signal?: AbortSignal): Promise<void> {
    const command = new StopTaskCommand({ cluster: this.config.ecs_cluster, task: arn, reason });
    try {
      await retryThrottled(() => this.clients.ecs.send(command, { abortSignal: signal }), signal);
    } catch (error) {
      if (isTaskMissing(error)) return;
      throw awsProblem(error, `stop task ${arn}`, signal);
    }
  }

  async tag(arn: string, tags: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<void> {
    await this.tagging.take(signal);
    const command = new TagResourceCommand({
      resourceArn: arn,
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    });
    try {
      await retryThrottled(() => this.clients.ecs.send(command, { abortSignal: signal }), signal);
    } catch (error) {
      throw awsProblem(error, `tag task ${arn}`, signal);
    }
  }

  async untag(arn: string, tagKeys: readonly string[], signal?: AbortSignal): Promise<void> {
    await this.tagging.take(signal);
    const command = new UntagResourceCommand({ resourceArn: arn, tagKeys: [...tagKeys] });
    try {
      await retryThrottled(() => this.clients.ecs.send(command, { abortSignal: signal }), signal);
    } catch (error) {
      throw awsProblem(error, `remove tags of task ${arn}`, signal);
    }
  }

  private async describeBatch(tasks: string[], signal?: AbortSignal): Promise<Task[]> {
    const command = { cluster: this.config.ecs_cluster, tasks, include: ['TAGS' as const] };
    const answer = await this.read(
      'describe tasks',
      (abortSignal) => this.clients.ecs.send(new DescribeTasksCommand(command), { abortSignal }),
      signal,
    );
    return answer.tasks ?? [];
  }

  private async read<T>(doing: string, call: (signal?: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await retryThrottled(async () => {
        await this.reads.take(signal);
        return call(signal);
      }, signal);
    } catch (error) {
      throw awsProblem(error, `${doing} of cluster ${this.config.ecs_cluster}`, signal);
    }
  }
}

const isTaskMissing = (error: unknown): boolean => {
  const { name, message } = error as Error;
  return name === 'InvalidParameterException' && /task was not found|not found/i.test(message);
};
