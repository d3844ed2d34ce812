import { isThrottlingError } from '@smithy/core/retry';
import type { SdkError } from '@smithy/types';
import { pause } from '../util/abort';
import { awsProblem } from './aws-errors';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 5_000;
/** How long a throttled call without a deadline is retried. */
const PATIENCE_MS = 120_000;

/** The SDK also counts ECS's LimitExceededException, which says that a task has too many tags. */
const isThrottled = (error: unknown): boolean =>
  (error as Error).name !== 'LimitExceededException' && isThrottlingError(error as SdkError);

/**
 * Makes an AWS call, and retries it with full jitter for as long as AWS throttles it. The SDK alone gives up after a few
 * attempts, and sooner if many calls are throttled at once, as they are when a large fleet starts.
 * Throws AWS's errors as MngrFargateError; `doing` completes "cannot …".
 */
export async function awsCall<T>(
  doing: string,
  send: (abortSignal: AbortSignal | undefined) => Promise<T>,
  signal?: AbortSignal,
): Promise<T> {
  const started = performance.now();
  for (let attempt = 0; ; attempt++) {
    try {
      return await send(signal);
    } catch (error) {
      if (!isThrottled(error) || performance.now() - started > PATIENCE_MS) throw awsProblem(error, doing, signal);
      const longest = Math.min(LONGEST_WAIT_MS, FIRST_WAIT_MS * 2 ** attempt);
      await pause(Math.random() * longest, 'retrying a throttled call', signal);
    }
  }
}
