const FIRST_MS = 200;
const LONGEST_MS = 1_000;
const GRANULARITY_MS = 10;
const FIRST_ROUND_TRIP_MS = 100;

/** How long to wait for an acknowledgement: RFC 6298's estimate, with the constants of the official client. */
export class RetransmissionTimeout {
  private roundTrip = FIRST_ROUND_TRIP_MS;
  private variation = 0;
  private timeout = FIRST_MS;

  get milliseconds(): number {
    return this.timeout;
  }

  /** Takes the round trip of a message that was sent once. One that was sent again says nothing (Karn's rule). */
  sample(milliseconds: number): void {
    this.variation = 0.75 * this.variation + 0.25 * Math.abs(this.roundTrip - milliseconds);
    this.roundTrip = 0.875 * this.roundTrip + 0.125 * milliseconds;
    this.timeout = Math.min(LONGEST_MS, this.roundTrip + Math.max(GRANULARITY_MS, 4 * this.variation));
  }

  /** A message had to be sent again: waits longer until the next sample. */
  backOff(): void {
    this.timeout = Math.min(LONGEST_MS, 2 * this.timeout);
  }
}
