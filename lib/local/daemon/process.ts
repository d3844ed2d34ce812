import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { CONTROL_PATH } from '../control/path';
import type { DaemonRecord, LocalFiles } from './files';

/** How long a daemon may take to report that it is running, and to end. Milliseconds. */
const STATUS_TIMEOUT = 3000;
const END_TIMEOUT = 15_000;
const POLL_INTERVAL = 25;

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** What a daemon answers when asked for its status. */
export interface DaemonStatus {
  /** Number of tasks by their last status. */
  readonly tasks: Readonly<Record<string, number>>;
  readonly runtime: { readonly kind: string; readonly description: string };
  readonly throttling: boolean;
  readonly pid: number;
}

/** The status of the daemon in the record; undefined if it doesn't answer. */
export async function askStatus({ pid, description }: DaemonRecord): Promise<DaemonStatus | undefined> {
  try {
    const response = await fetch(`${description.endpoint}${CONTROL_PATH}status`, {
      headers: { authorization: `Bearer ${description.controlToken}` },
      signal: AbortSignal.timeout(STATUS_TIMEOUT),
    });
    if (!response.ok) return undefined;
    const status = (await response.json()) as DaemonStatus;
    return status.pid === pid ? status : undefined;
  } catch {
    return undefined;
  }
}

/** True if the process is a daemon of these files, and not another process that has the same id by now. */
function isDaemon(pid: number, files: LocalFiles): boolean {
  if (!isAlive(pid)) return false;
  if (process.platform !== 'linux') return true;
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(files.configuration);
  } catch {
    return false;
  }
}

/** Ends the daemon of a record; its tasks keep running. Returns once it has ended. */
export async function endDaemon({ pid }: DaemonRecord, files: LocalFiles): Promise<void> {
  if (!isDaemon(pid, files)) return;
  process.kill(pid, 'SIGTERM');
  const deadline = Date.now() + END_TIMEOUT;
  while (isDaemon(pid, files)) {
    if (Date.now() > deadline) process.kill(pid, 'SIGKILL');
    await sleep(POLL_INTERVAL);
  }
}
