/** The endpoint's clock. Tests move it forward to see tasks age; signatures are checked against the machine's clock. */
export class Clock {
  private offset = 0;

  now(): Date {
    return new Date(Date.now() + this.offset);
  }

  /** Milliseconds forward. */
  advance(milliseconds: number): void {
    this.offset += milliseconds;
  }
}
