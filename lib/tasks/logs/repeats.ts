import type { LogEvent } from './log-events';

/**
 * Tells new events from those that were read before, when the end of a log is read again and again because events may
 * arrive late. Equal events are counted, so that a line that was written twice is shown twice.
 */
export class Repeats {
  private seen = new Map<string, { readonly count: number; readonly timestamp: number }>();
  private round = new Map<string, number>();

  /** Begins to read again, from a time on (milliseconds since 1970): what is older isn't asked for any more. */
  begin(from: number): void {
    this.round = new Map();
    this.seen = new Map([...this.seen].filter(([, { timestamp }]) => timestamp >= from));
  }

  /** Whether the event has not been read in an earlier round. */
  isNew({ source, timestamp, message }: LogEvent): boolean {
    const key = `${source.stream} ${timestamp} ${message}`;
    const count = (this.round.get(key) ?? 0) + 1;
    this.round.set(key, count);
    if (count <= (this.seen.get(key)?.count ?? 0)) return false;
    this.seen.set(key, { count, timestamp });
    return true;
  }
}
