/** Waits; throws the signal's reason as soon as it fires. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    signal?.throwIfAborted();
    const onAbort = (): void => {
      clearTimeout(timer);
      reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, milliseconds);
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** What the caller aborted with. */
export const reasonOf = (signal: AbortSignal | undefined): Error =>
  signal?.reason instanceof Error ? signal.reason : new DOMException('this operation was aborted', 'AbortError');

/** Longer with each failure, and never the same for many clients. Milliseconds, up to `longest`. */
export const backoff = (failures: number, longest: number): number =>
  Math.min(longest, 100 * 2 ** failures) * (0.5 + Math.random() / 2);
