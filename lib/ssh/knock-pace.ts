/** Gap after an attempt that was refused, by how long the knocking has gone on: quick at first, then easy on the CPU. */
const GAPS_MS: readonly { readonly untilMs: number; readonly gapMs: number }[] = [
  { untilMs: 3_000, gapMs: 10 },
  { untilMs: 20_000, gapMs: 20 },
];
const LATER_GAP_MS = 40;
/** A refused attempt costs about 0.2 ms of processor time, so that all of them together take at most a fifth of a core. */
const ATTEMPTS_PER_SECOND = 1_000;

/** How fast a launcher knocks on all its hosts that are still booting: each the slower the more there are. */
export class KnockPace {
  private knocking = 0;

  /** Counts a host in until the returned function is called. */
  enter(): () => void {
    this.knocking += 1;
    return () => {
      this.knocking -= 1;
    };
  }

  /** Milliseconds between two attempts at one host that has been knocked on for so long. */
  gapAfter(elapsedMs: number): number {
    const gap = GAPS_MS.find(({ untilMs }) => elapsedMs < untilMs)?.gapMs ?? LATER_GAP_MS;
    return Math.max(gap, (this.knocking * 1000) / ATTEMPTS_PER_SECOND);
  }
}
