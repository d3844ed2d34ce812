/** One bucket a key: it fills with `rate` calls a second, up to a second's worth and at least one. */
export class RateLimit {
  private readonly buckets = new Map<string, { tokens: number; at: number }>();

  /** `now` is in milliseconds of a clock that never goes back. */
  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Takes one call. Returns 0, or the seconds until there is one. */
  take(key: string, rate: number): number {
    const now = this.now();
    const most = Math.max(1, rate);
    const bucket = this.buckets.get(key) ?? { tokens: most, at: now };
    const tokens = Math.min(most, bucket.tokens + ((now - bucket.at) / 1000) * rate);
    this.buckets.set(key, { tokens: tokens >= 1 ? tokens - 1 : tokens, at: now });
    return tokens >= 1 ? 0 : (1 - tokens) / rate;
  }

  forget(key: string): void {
    this.buckets.delete(key);
  }
}
