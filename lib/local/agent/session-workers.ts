/** The agent's places for sessions: one that finds none waits until another session has ended (`SessionWorkersLimit`). */
export class SessionWorkers {
  private busy = 0;
  private readonly waiting: (() => void)[] = [];

  /** Resolves with true once there is a place, with false if the signal fires first. */
  async take(limit: number, signal: AbortSignal): Promise<boolean> {
    while (this.busy >= limit && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.waiting.push(resolve);
        signal.addEventListener('abort', () => resolve(), { once: true });
      });
    }
    if (signal.aborted) return false;
    this.busy += 1;
    return true;
  }

  release(): void {
    this.busy -= 1;
    for (const wake of this.waiting.splice(0)) wake();
  }
}
