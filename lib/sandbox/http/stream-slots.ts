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

  /** Takes a place until the returned function is called. Throws `rate_limited`. */
  take(caller: Caller): () => void {
    const mine = this.byKey.get(caller.keyId) ?? 0;
    if (this.all >= this.limits.all || mine >= this.limits.ofOneKey) {
      const limit = mine >= this.limits.ofOneKey ? this.limits.ofOneKey : this.limits.all;
      throw new SandboxError('rate_limited', `${limit} streams are open, which is the limit`, {
        suggestion: 'close streams that are no longer read, and try again after the time in Retry-After',
        retryAfterSeconds: 5,
      });
    }
    this.all += 1;
    this.byKey.set(caller.keyId, mine + 1);
    let taken = true;
    return () => {
      if (!taken) return;
      taken = false;
      this.all -= 1;
      const left = (this.byKey.get(caller.keyId) ?? 1) - 1;
      if (left === 0) this.byKey.delete(caller.keyId);
      else this.byKey.set(caller.keyId, left);
    };
  }
}
