import { setTimeout as delay } from 'node:timers/promises';
import { MngrFargateError } from '../contract/errors';

/** The error of an aborted call. `doing` completes "stopped …". */
export const abortedError = (doing: string, signal: AbortSignal | undefined): MngrFargateError =>
  new MngrFargateError('aborted', `stopped ${doing}`, { cause: signal?.reason });

export function throwIfAborted(doing: string, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortedError(doing, signal);
}

/** Waits; throws `aborted` as soon as the signal fires. */
export async function pause(milliseconds: number, doing: string, signal?: AbortSignal): Promise<void> {
  try {
    await delay(milliseconds, undefined, { signal });
  } catch {
    throw abortedError(doing, signal);
  }
}

/** Settles like the promise, or throws `aborted` as soon as the signal fires. The promise itself keeps running. */
export function orAborted<T>(promise: Promise<T>, doing: string, signal: AbortSignal | undefined): Promise<T> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(abortedError(doing, signal));
    if (signal.aborted) onAbort();
    signal.addEventListener('abort', onAbort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}
