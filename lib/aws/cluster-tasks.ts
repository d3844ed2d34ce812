import { DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { ListTasksCommandInput, Task } from '@aws-sdk/client-ecs';
import { inBatches, mapBounded } from '../util/bounded';
import type { EcsClient } from './ecs-client';

/** DescribeTasks accepts at most this many ids, and ListTasks returns at most as many. */
export const TASKS_PER_CALL = 100;
const CALLS_AT_ONCE = 8;

/** ECS API, ListTasks: `startedBy` goes with no other but `desiredStatus`, and a service not with a family. */
export type TaskFilter = Pick<ListTasksCommandInput, 'startedBy' | 'family' | 'serviceName' | 'desiredStatus'>;

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

/** What is read about the tasks of one cluster. */
export class ClusterTasks {
  constructor(
    protected readonly ecs: EcsClient,
    protected readonly cluster: string,
  ) {}

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
    return { tasks, failures: failures.map(({ arn = '', reason = 'ECS gave no reason' }) => ({ arn, reason })) };
  }

  /** Tasks with their tags, in the order of the ARNs, without those that ECS no longer shows. */
  async describe(arns: readonly string[], signal?: AbortSignal): Promise<Task[]> {
    const pages = inBatches(arns, TASKS_PER_CALL);
    const answers = await mapBounded(pages, CALLS_AT_ONCE, (page) => this.describePage(page, signal));
    return answers.flatMap(({ tasks }) => tasks);
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
}
