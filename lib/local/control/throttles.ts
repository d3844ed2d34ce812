import { TokenBucket } from './token-bucket';
import type { BucketLimits } from './token-bucket';

/** Calls that share one of AWS's request limits, per account and region. */
export interface ThrottleGroup {
  readonly name: string;
  /** `service:Operation`; empty for limits on something else than calls, which are taken by the group's name. */
  readonly operations: readonly string[];
  readonly limits: BucketLimits;
}

/** Counts calls against AWS's published limits, while switched on. */
export class Throttles {
  private readonly groups: ThrottleGroup[] = [];
  private buckets = new Map<string, TokenBucket>();
  private on = false;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Adds the limits of a service. */
  add(groups: readonly ThrottleGroup[]): void {
    this.groups.push(...groups);
  }

  /** Full buckets. `scale` multiplies every limit. */
  enable(scale = 1): void {
    const bucketOf = ({ burst, perSecond }: BucketLimits): TokenBucket =>
      new TokenBucket({ burst: Math.max(1, burst * scale), perSecond: perSecond * scale }, this.now);
    this.buckets = new Map(this.groups.map(({ name, limits }) => [name, bucketOf(limits)]));
    this.on = true;
  }

  disable(): void {
    this.buckets = new Map();
    this.on = false;
  }

  get enabled(): boolean {
    return this.on;
  }

  /** False if the call (`service:Operation`) exceeds the limit. */
  admits(operation: string): boolean {
    return this.groups
      .filter(({ operations }) => operations.includes(operation))
      .every(({ name }) => this.take(name, 1));
  }

  /** Takes from one group's bucket; false when it doesn't hold that much. */
  take(group: string, count: number): boolean {
    return this.buckets.get(group)?.take(count) ?? true;
  }
}
