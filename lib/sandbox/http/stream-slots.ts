import { SandboxError } from '../model/errors';
import type { Caller } from '../model/types';
import { HTTP_LIMITS } from './limits';

/** Bounds what stays open: streams, uploads, WebSockets. Each replica counts its own. */
export class StreamSlots {
  private all = 0;
  private readonly byKey = new Map<string, number>();

  constructor(
    private readonly limits: { readonly all: number; readonly ofOneKey: number } = {
      all: HTTP_LIMITS.streams,
      ofOneKey: HTTP_LIMITS.streamsOfOneKey,
    },
  ) {}

  /** Does the work with a place of its own. Throws `rate_limited` if there is none. */
  async during<T>({ keyId }: Caller, work: () => Promise<T>): Promise<T> {
    const mine = this.byKey.get(keyId) ?? 0;
    if (this.all >= this.limits.all || mine >= this.limits.ofOneKey) {
      const limit = mine >= this.limits.ofOneKey ? this.limits.ofOneKey : this.limits.all;
      throw new SandboxError('rate_limited', `${limit} streams are open, which is the limit`, {
        suggestion: 'close streams that are no longer read, and try again after the time in Retry-After',
        retryAfterSeconds: 5,
      });
    }
    this.all += 1;
    this.byKey.set(keyId, mine + 1);
    try {
      return await work();
    } finally {
      this.all -= 1;
      const left = (this.byKey.get(keyId) ?? 1) - 1;
      if (left === 0) this.byKey.delete(keyId);
      else this.byKey.set(keyId, left);
    }
  }
}
