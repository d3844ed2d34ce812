/** How long to wait after a refused attempt. Short at first, then longer to save CPU time. */
const GAPS_MS: readonly { readonly untilMs: number; readonly gapMs: number }[] = [
  { untilMs: 3_000, gapMs: 10 },
  { untilMs: 20_000, gapMs: 20 },
];
const LATER_GAP_MS = 40;
/** A refused attempt costs about 0.2 ms of CPU time; with this limit all of them together use at most a fifth of a core. */
const ATTEMPTS_PER_SECOND = 1_000;

/** How often a launcher tries its hosts that are still booting: the more hosts, the less often it tries each. */
export class KnockPace {
  private knocking = 0;

  /** Counts a host until the returned function is called. */
  enter(): () => void {
    this.knocking += 1;
    return () => {
      this.knocking -= 1;
    };
  }

  /** Milliseconds between two attempts at a host, by how long it has been tried. */
  gapAfter(elapsedMs: number): number {
    const gap = GAPS_MS.find(({ untilMs }) => elapsedMs < untilMs)?.gapMs ?? LATER_GAP_MS;
    return Math.max(gap, (this.knocking * 1000) / ATTEMPTS_PER_SECOND);
  }
}
