import { setTimeout as sleep } from 'node:timers/promises';
import type { HealthCheck } from '@aws-sdk/client-ecs';
import type { TaskProcess } from '../../runtimes/runtime';

/** ECS API, HealthCheck. Seconds, and a number of tries. */
const DEFAULTS = { interval: 30, timeout: 5, retries: 3, startPeriod: 0 };

export type Verdict = 'HEALTHY' | 'UNHEALTHY';

/** The program of a health check and its arguments; undefined if there is none to run. */
export function healthCommand({ command = [] }: HealthCheck): readonly string[] | undefined {
  const [kind, ...words] = command;
  if (kind === 'CMD-SHELL') return ['/bin/sh', '-c', words[0] ?? ''];
  if (kind === 'NONE') return undefined;
  return kind === 'CMD' ? words : command;
}

/**
 * Runs a container's health check until the signal fires, and reports each change of the result. A check that fails in
 * the start period doesn't count; after it, `retries` in a row make the container UNHEALTHY.
 */
export async function watchHealth(
  check: HealthCheck,
  start: (argv: readonly string[]) => Promise<TaskProcess>,
  onVerdict: (verdict: Verdict) => void,
  signal: AbortSignal,
): Promise<void> {
  const argv = healthCommand(check);
  if (argv === undefined) return;
  const { interval, timeout, retries, startPeriod } = { ...DEFAULTS, ...check };
  const graceUntil = Date.now() + startPeriod * 1000;
  let failures = 0;
  let verdict: Verdict | undefined;
  for (;;) {
    await sleep(interval * 1000, undefined, { signal });
    const passed = await passes(() => start(argv), timeout * 1000);
    if (signal.aborted) return;
    if (passed) failures = 0;
    else if (Date.now() >= graceUntil || verdict === 'HEALTHY') failures += 1;
    const next = passed ? 'HEALTHY' : failures >= retries ? 'UNHEALTHY' : verdict;
    if (next !== undefined && next !== verdict) onVerdict(next);
    verdict = next;
  }
}

async function passes(start: () => Promise<TaskProcess>, milliseconds: number): Promise<boolean> {
  let process: TaskProcess;
  try {
    process = await start();
  } catch {
    return false;
  }
  process.stdin.end();
  process.stdout.resume();
  process.stderr?.resume();
  const timer = new AbortController();
  const late = sleep(milliseconds, undefined, { signal: timer.signal }).catch(() => undefined);
  const exitCode = await Promise.race([process.exitCode, late]);
  timer.abort();
  if (exitCode === undefined) await process.kill('SIGKILL');
  return exitCode === 0;
}
