/** What the script of a command on a terminal says (terminal-script.ts), and what the command shows. */
export type TerminalEvent =
  | { readonly kind: 'unfit' }
  | { readonly kind: 'variables-wanted' }
  | { readonly kind: 'begun' }
  | { readonly kind: 'shown'; readonly bytes: Buffer }
  | { readonly kind: 'exit'; readonly status: number };

const BEFORE: Readonly<
  Record<string, Exclude<TerminalEvent, { readonly bytes: Buffer } | { readonly status: number }>>
> = {
  n: { kind: 'unfit' },
  s: { kind: 'variables-wanted' },
  g: { kind: 'begun' },
};

/** Longest end of a report after its marker: ` x 255;`. */
const REPORT_REST = 7;

/** Tells the script's reports from what the command shows. Pieces may be cut anywhere. */
export class TerminalOutput {
  private rest = '';
  private begun = false;
  private readonly report: RegExp;

  constructor(private readonly marker: string) {
    this.report = new RegExp(`${marker} (?:([nsg])|x (\\d{1,3}));`);
  }

  /** What this piece completes, in order. */
  *push(piece: Buffer): Generator<TerminalEvent> {
    this.rest += piece.toString('latin1');
    for (let found = this.report.exec(this.rest); found !== null; found = this.report.exec(this.rest)) {
      yield* this.shown(found.index);
      this.rest = this.rest.slice(found[0].length);
      const event = BEFORE[found[1] ?? ''] ?? { kind: 'exit' as const, status: Number(found[2]) };
      if (event.kind === 'begun') this.begun = true;
      yield event;
    }
    yield* this.shown(this.rest.length - this.unsure());
  }

  /** Takes this much from the front. What comes before the command belongs to nobody. */
  private *shown(length: number): Generator<TerminalEvent> {
    const text = this.rest.slice(0, length);
    this.rest = this.rest.slice(length);
    if (this.begun && text !== '') yield { kind: 'shown', bytes: Buffer.from(text, 'latin1') };
  }

  /** Characters at the end that may be the beginning of a report. */
  private unsure(): number {
    const { rest, marker } = this;
    const whole = rest.lastIndexOf(marker);
    if (whole !== -1 && rest.length - whole < marker.length + REPORT_REST) return rest.length - whole;
    for (let length = Math.min(marker.length - 1, rest.length); length > 0; length -= 1) {
      if (rest.endsWith(marker.slice(0, length))) return length;
    }
    return 0;
  }
}
