import { setTimeout as sleep } from 'node:timers/promises';

/** Repeats an expectation until it holds, and gives what it returned; its last failure after ten seconds. */
export async function eventually<T>(expectation: () => Promise<T>, timeout = 10_000): Promise<T> {
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
