import { setTimeout as sleep } from 'node:timers/promises';

/** Less than a test may take, so that a wait in vain ends with its own words and leaves nothing polling. */
const PATIENCE_MS = 120_000;

/** Repeats an expectation until it holds, and gives what it returned; its last failure after a minute. */
export async function eventually<T>(expectation: () => Promise<T>, timeout = 60_000): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    try {
      return await expectation();
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await sleep(20);
    }
  }
}

/**
 * Waits until the probe finds something, and gives it; rejects when that takes longer than a test may. `interval` is how
 * long it waits between two looks. Milliseconds.
 */
export async function until<T>(
  probe: () => Promise<T | undefined | false>,
  timeout = PATIENCE_MS,
  interval = 50,
): Promise<T> {
  const deadline = Date.now() + timeout;
  for (;;) {
    const found = await probe();
    if (found !== undefined && found !== false) return found;
    if (Date.now() > deadline) throw new Error(`waited ${timeout / 1000} s in vain for ${probe.toString()}`);
    await sleep(interval);
  }
}
