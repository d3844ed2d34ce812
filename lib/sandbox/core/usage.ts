import type { Store } from '../store';

/** No session in use is left without a renewal for longer than this, in milliseconds. */
const MOST_MS = 20_000;

interface Use {
  count: number;
  ttlSeconds: number;
  touchedAt: number;
}

/**
 * Sessions that something in this process uses: a call, an open stream, a command that hasn't ended. Their time to live is
 * renewed in the store while they are, so that whoever looks for sessions past it needs to know the store alone.
 */
export class Usage {
  private readonly uses = new Map<string, Use>();

  constructor(
    private readonly store: Store,
    private readonly now: () => number = Date.now,
  ) {}

  /** Holds the session until the returned function is called. */
  hold({ generation, ttlSeconds }: { readonly generation: string; readonly ttlSeconds: number }): () => void {
    const use = this.uses.get(generation) ?? { count: 0, ttlSeconds, touchedAt: 0 };
    use.count += 1;
    use.ttlSeconds = ttlSeconds;
    this.uses.set(generation, use);
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      use.count -= 1;
      if (use.count === 0) this.uses.delete(generation);
    };
  }

  isHeld(generation: string): boolean {
    return this.uses.has(generation);
  }

  /** Renews what is due. */
  async renew(): Promise<void> {
    const now = this.now();
    for (const [generation, use] of [...this.uses]) {
      if (now - use.touchedAt < Math.min((use.ttlSeconds * 1000) / 3, MOST_MS)) continue;
      use.touchedAt = now;
      await this.store.touch(generation, now);
    }
  }
}
