/** A terminal that nobody looks at is hung up after this time, like a modem: else its shell would keep the sandbox for ever. */
const GRACE_MS = 5 * 60_000;

/**
 * Counts who looks at each terminal. A replica only knows its own sockets: a client that comes back to another one within
 * the time has its terminal hung up, which then must be opened anew.
 */
export class AbandonedTerminals {
  private readonly watched = new Map<string, { sockets: number; timer?: NodeJS.Timeout }>();

  constructor(private readonly graceMs = GRACE_MS) {}

  /** Until the returned function is called, somebody looks. It takes what is to be done when nobody comes back. */
  look(terminal: string): (hangUp: (() => Promise<void>) | undefined) => void {
    const entry = this.watched.get(terminal) ?? { sockets: 0 };
    this.watched.set(terminal, entry);
    entry.sockets += 1;
    clearTimeout(entry.timer);
    return (hangUp) => {
      entry.sockets -= 1;
      if (entry.sockets > 0) return;
      if (hangUp === undefined) {
        this.watched.delete(terminal);
        return;
      }
      entry.timer = setTimeout(() => {
        this.watched.delete(terminal);
        // It may have ended meanwhile, and its sandbox too.
        hangUp().catch(() => undefined);
      }, this.graceMs).unref();
    };
  }
}
