import { orAborted, pause } from '../util/abort';

const WAITING = 'waiting for a turn';

/**
 * A token bucket on our side, the size of AWS's own: calls wait here instead of being throttled there. AWS's bucket is
 * shared by the whole account and region, so calls may still be throttled, and are then retried (aws-call.ts).
 */
export class RateLimiter {
  private tokens: number;
  private at = performance.now();
  private turn: Promise<void> = Promise.resolve();

  /** Allows `burst` calls at once, then `perSecond`. */
  constructor(
    private readonly burst: number,
    private readonly perSecond: number,
  ) {
    this.tokens = burst;
  }

  /** Resolves when the caller may make its call; callers get their turns in order. Throws `aborted`. */
  async take(signal?: AbortSignal): Promise<void> {
    const before = this.turn;
    let done = (): void => undefined;
    const own = new Promise<void>((resolve) => {
      done = resolve;
    });
    this.turn = before.then(() => own);
    try {
      await orAborted(before, WAITING, signal);
      this.refill();
      if (this.tokens < 1) await pause(((1 - this.tokens) / this.perSecond) * 1000, WAITING, signal);
      this.refill();
      this.tokens -= 1;
    } finally {
      done();
    }
  }

  private refill(): void {
    const now = performance.now();
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) / 1000) * this.perSecond);
    this.at = now;
  }
}
