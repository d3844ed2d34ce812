/** Tells waiters in this process that something about an event or session has changed; the store says what. */
export class Changes {
  private readonly waiters = new Map<string, Set<() => void>>();

  tell(...subject: readonly (string | number)[]): void {
    const key = subject.join(' ');
    const waiting = this.waiters.get(key);
    this.waiters.delete(key);
    for (const wake of waiting ?? []) wake();
  }

  /**
   * The next change of the subject. Ask for it before looking at the state. `done` must be called by whoever doesn't wait
   * any longer.
   */
  next(...subject: readonly (string | number)[]): { readonly changed: Promise<void>; readonly done: () => void } {
    const key = subject.join(' ');
    const waiting = this.waiters.get(key) ?? new Set();
    this.waiters.set(key, waiting);
    let wake = (): void => undefined;
    const changed = new Promise<void>((resolve) => {
      wake = resolve;
    });
    waiting.add(wake);
    const done = (): void => {
      waiting.delete(wake);
      if (waiting.size === 0 && this.waiters.get(key) === waiting) this.waiters.delete(key);
      wake();
    };
    return { changed, done };
  }

  /** Waits for the next change, the end of the time or the signal, whichever is first. Throws nothing. */
  async within(
    next: { readonly changed: Promise<void>; readonly done: () => void },
    milliseconds: number,
    signal?: AbortSignal,
  ): Promise<void> {
    const timer = setTimeout(next.done, Math.min(milliseconds, 2 ** 31 - 1));
    signal?.addEventListener('abort', next.done, { once: true });
    if (signal?.aborted) next.done();
    await next.changed;
    clearTimeout(timer);
    signal?.removeEventListener('abort', next.done);
    next.done();
  }
}
