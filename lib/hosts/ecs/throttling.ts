import { pause } from '../../util/abort';

const THROTTLED = new Set(['ThrottlingException', 'Throttling', 'RequestLimitExceeded', 'TooManyRequestsException']);
const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** Calls that nobody gave a deadline go on this long against throttling. Milliseconds. */
const PATIENCE_MS = 120_000;

export const isThrottled = (error: unknown): boolean => THROTTLED.has((error as Error).name);

/**
 * Makes the call again for as long as AWS says that calls come too fast, with full jitter. The SDK alone gives up after
 * a few attempts, and sooner when many calls are refused at once, which is what a large fleet's start looks like.
 */
export async function retryThrottled<T>(call: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const started = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (!isThrottled(error) || performance.now() - started > PATIENCE_MS) throw error;
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
      await pause(Math.random() * longest, 'retrying a throttled call', signal);
    }
  }
}
