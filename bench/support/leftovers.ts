import { setTimeout as sleep } from 'node:timers/promises';
import type { BenchEndpoint } from './endpoint';

/** Longer than a task that was told to stop may take. */
const PATIENCE_MS = 60_000;

/** Waits for tasks that are stopping, and throws when any goes on: what a launcher destroyed must be gone. */
export async function expectNothingRuns(endpoint: BenchEndpoint): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const { STOPPED: _, ...running } = await endpoint.tasks();
    if (Object.keys(running).length === 0) return;
    if (performance.now() > deadline) throw new Error(`tasks were left behind: ${JSON.stringify(running)}`);
    await sleep(250);
  }
}
