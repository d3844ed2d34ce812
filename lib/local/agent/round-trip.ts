/** Milliseconds; the agent's own constants. */
const INITIAL_ROUND_TRIP = 100;
const INITIAL_TIMEOUT = 200;
const MAX_TIMEOUT = 1000;
const CLOCK_GRANULARITY = 10;
const ROUND_TRIP_GAIN = 1 / 8;
const VARIATION_GAIN = 1 / 4;

/** How long the agent waits for an acknowledgement before it sends a message again. */
export class RoundTrip {
  private mean = INITIAL_ROUND_TRIP;
  private variation = 0;
  private current = INITIAL_TIMEOUT;

  /** Milliseconds. */
  get timeout(): number {
    return this.current;
  }

  /** Notes how long a message took to be acknowledged, in milliseconds. */
  sample(milliseconds: number): void {
    this.variation = (1 - VARIATION_GAIN) * this.variation + VARIATION_GAIN * Math.abs(this.mean - milliseconds);
    this.mean = (1 - ROUND_TRIP_GAIN) * this.mean + ROUND_TRIP_GAIN * milliseconds;
    this.current = Math.min(MAX_TIMEOUT, this.mean + Math.max(CLOCK_GRANULARITY, 4 * this.variation));
  }
}
