import { DescribeTasksCommand, ListTasksCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import { awsProblem } from '../ecs/aws-errors';
import { RateLimiter } from '../ecs/rate-limiter';
import { retryThrottled } from '../ecs/throttling';

export interface FleetPage {
  readonly arns: readonly string[];
  /** Undefined after the last page. */
  readonly nextToken?: string;
}

export interface Described {
  readonly tasks: readonly Task[];
  /** Tasks that ECS didn't describe. `MISSING` are gone. */
  readonly failures: readonly { readonly arn: string; readonly reason: string }[];
}

/** The calls of ECS that the reaper makes. */
export interface Fleet {
  /** AWS's time, milliseconds since 1970. */
  now(): number;
  /** Live tasks of the family, a hundred at most. An old token that ECS no longer knows is refused with `usage`. */
  page(nextToken: string | undefined, signal?: AbortSignal): Promise<FleetPage>;
  /** A hundred at most. */
  describe(arns: readonly string[], signal?: AbortSignal): Promise<Described>;
  /** A task that is gone already counts as stopped. */
  stop(arn: string, reason: string, signal?: AbortSignal): Promise<void>;
}

/** ListTasks gives and DescribeTasks takes at most this many. */
export const TASKS_PER_CALL = 100;

/**
 * Half of AWS's buckets for the account and region (ECS developer guide, "Request throttling"): launchers have the other
 * half while the reaper reads. Burst and calls a second.
 */
const READS = [45, 10] as const;
const STOPS = [40, 20] as const;
/** ECS API, StopTask.reason. */
const MAX_REASON = 1024;

/** The tasks of one family on one cluster. */
export class EcsFleet implements Fleet {
  private readonly reads = new RateLimiter(...READS);
  private readonly stops = new RateLimiter(...STOPS);

  constructor(
    private readonly ecs: ECSClient,
    private readonly cluster: string,
    private readonly family: string,
  ) {}

  /** The machine's clock as the SDK has corrected it: AWS refuses signatures that are more than five minutes off. */
  now(): number {
    return Date.now() + (this.ecs.config.systemClockOffset ?? 0);
  }

  async page(nextToken: string | undefined, signal?: AbortSignal): Promise<FleetPage> {
    const { cluster, family } = this;
    const command = new ListTasksCommand({ cluster, family, maxResults: TASKS_PER_CALL, nextToken });
    const answer = await this.call(
      'list tasks',
      this.reads,
      () => this.ecs.send(command, { abortSignal: signal }),
      signal,
    );
    return { arns: answer.taskArns ?? [], nextToken: answer.nextToken };
  }

  async describe(arns: readonly string[], signal?: AbortSignal): Promise<Described> {
    const command = new DescribeTasksCommand({ cluster: this.cluster, tasks: [...arns], include: ['TAGS'] });
    const { tasks = [], failures = [] } = await this.call(
      'describe tasks',
      this.reads,
      () => this.ecs.send(command, { abortSignal: signal }),
      signal,
    );
    return { tasks, failures: failures.map(({ arn = '', reason = 'ECS gives no reason' }) => ({ arn, reason })) };
  }

  async stop(arn: string, reason: string, signal?: AbortSignal): Promise<void> {
    const command = new StopTaskCommand({ cluster: this.cluster, task: arn, reason: reason.slice(0, MAX_REASON) });
    try {
      await this.call('stop tasks', this.stops, () => this.ecs.send(command, { abortSignal: signal }), signal);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  private async call<T>(doing: string, turns: RateLimiter, send: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await retryThrottled(async () => {
        await turns.take(signal);
        return send();
      }, signal);
    } catch (error) {
      throw awsProblem(error, `${doing} of cluster ${this.cluster}`, signal);
    }
  }
}

/** ECS's answer to StopTask for a task that it doesn't show any more. */
const isGone = (error: unknown): boolean => {
  const { cause } = error as { cause?: unknown };
  return cause instanceof Error && cause.name === 'InvalidParameterException' && /not found/i.test(cause.message);
};
