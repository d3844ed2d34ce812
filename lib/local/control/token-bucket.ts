/** AWS's request limits are token buckets: `burst` tokens at most, refilled at `perSecond`. */
export interface BucketLimits {
  readonly burst: number;
  readonly perSecond: number;
}

export class TokenBucket {
  private tokens: number;
  private at: number;

  /** `now` gives milliseconds. */
  constructor(
    private readonly limits: BucketLimits,
    private readonly now: () => number,
  ) {
    this.tokens = limits.burst;
    this.at = now();
  }

  /** Takes tokens if there are enough, and says whether there were. */
  take(count = 1): boolean {
    const time = this.now();
    const refill = (Math.max(0, time - this.at) / 1000) * this.limits.perSecond;
    this.tokens = Math.min(this.limits.burst, this.tokens + refill);
    this.at = time;
    if (this.tokens < count) return false;
    this.tokens -= count;
    return true;
  }
}
