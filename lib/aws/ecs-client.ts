import {
  DeregisterTaskDefinitionCommand,
  DescribeClustersCommand,
  DescribeServicesCommand,
  DescribeTaskDefinitionCommand,
  DescribeTasksCommand,
  ExecuteCommandCommand,
  ListServicesCommand,
  ListTaskDefinitionsCommand,
  ListTasksCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  TagResourceCommand,
  UntagResourceCommand,
} from '@aws-sdk/client-ecs';
import type { ECSClient, ECSClientResolvedConfig, ServiceInputTypes, ServiceOutputTypes } from '@aws-sdk/client-ecs';
import type { Command } from '@smithy/types';
import { awsCall } from './aws-call';
import { RateLimiter } from './rate-limiter';

type EcsCommand<Input extends ServiceInputTypes, Output extends ServiceOutputTypes> = Command<
  ServiceInputTypes,
  Input,
  ServiceOutputTypes,
  Output,
  ECSClientResolvedConfig
>;

/**
 * AWS's token buckets for an account and region: burst, then calls per second (ECS developer guide, "Request throttling
 * for the Amazon ECS API" and "Fargate throttling quotas"). The guide doesn't mention ListTaskDefinitions and
 * DeregisterTaskDefinition; they are counted with DescribeTaskDefinition.
 */
const BUCKETS = {
  run: { burst: 20, perSecond: 20 },
  modify: { burst: 100, perSecond: 40 },
  read: { burst: 100, perSecond: 20 },
  tag: { burst: 20, perSecond: 10 },
  register: { burst: 20, perSecond: 1 },
  definitions: { burst: 50, perSecond: 20 },
  clusters: { burst: 50, perSecond: 20 },
  services: { burst: 100, perSecond: 20 },
} as const;

type BucketName = keyof typeof BUCKETS;

const BUCKETS_OF = new Map<unknown, readonly BucketName[]>([
  [RunTaskCommand, ['run', 'modify']],
  [StopTaskCommand, ['modify']],
  [ExecuteCommandCommand, ['modify']],
  [ListTasksCommand, ['read']],
  [DescribeTasksCommand, ['read']],
  [TagResourceCommand, ['tag']],
  [UntagResourceCommand, ['tag']],
  [RegisterTaskDefinitionCommand, ['register']],
  [DescribeClustersCommand, ['clusters']],
  [ListServicesCommand, ['services']],
  [DescribeServicesCommand, ['services']],
  [DescribeTaskDefinitionCommand, ['definitions']],
  [ListTaskDefinitionsCommand, ['definitions']],
  [DeregisterTaskDefinitionCommand, ['definitions']],
]);

/** The part of AWS's buckets that one client uses, from 0 to 1. */
export interface BucketShare {
  readonly burst: number;
  readonly perSecond: number;
}

/** Nearly all. The margin allows for network delays that move calls closer together. */
export const LAUNCHER_SHARE: BucketShare = { burst: 0.97, perSecond: 0.99 };
/** Leaves the other half to launchers while the reaper works. */
export const REAPER_SHARE: BucketShare = { burst: 0.5, perSecond: 0.5 };

export interface EcsCallOptions {
  readonly signal?: AbortSignal;
  /**
   * Called before each attempt. A call with this option isn't aborted once it has been sent, since only its answer says
   * what it did; the wait for the rate limit can still be aborted.
   */
  readonly onSend?: () => void;
}

/** The ECS API: calls keep to AWS's rate limits, are retried when throttled, and throw MngrFargateError. */
export class EcsClient {
  private readonly limiters = new Map<BucketName, RateLimiter>();

  /** `sdk` provides the SDK's client when it is first needed. */
  constructor(
    private readonly sdk: { readonly ecs: ECSClient },
    private readonly share: BucketShare,
  ) {}

  /** AWS's time in milliseconds since 1970: the machine's clock, corrected by the SDK. */
  now(): number {
    return Date.now() + (this.sdk.ecs.config.systemClockOffset ?? 0);
  }

  /** Makes one call. `doing` completes "cannot …". */
  send<Input extends ServiceInputTypes, Output extends ServiceOutputTypes>(
    command: EcsCommand<Input, Output>,
    doing: string,
    { signal, onSend }: EcsCallOptions = {},
  ): Promise<Output> {
    const buckets = BUCKETS_OF.get(command.constructor) ?? [];
    return awsCall(
      doing,
      async (abortSignal) => {
        for (const bucket of buckets) await this.limiter(bucket).take(signal);
        onSend?.();
        return this.sdk.ecs.send(command, onSend === undefined ? { abortSignal } : {});
      },
      signal,
    );
  }

  private limiter(name: BucketName): RateLimiter {
    let limiter = this.limiters.get(name);
    if (limiter === undefined) {
      const { burst, perSecond } = BUCKETS[name];
      limiter = new RateLimiter(burst * this.share.burst, perSecond * this.share.perSecond);
      this.limiters.set(name, limiter);
    }
    return limiter;
  }
}
