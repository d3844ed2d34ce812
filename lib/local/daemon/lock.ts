import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { MngrFargateError } from '../../contract/errors';
import { isAlive } from './process';

/** How long to wait for whoever holds the lock: an image may be built meanwhile. Milliseconds. */
const LOCK_TIMEOUT = 15 * 60_000;
const POLL_INTERVAL = 100;

/** Runs `work` while no other process does the same for this lock file. A holder that died is no holder. */
export async function withLock<T>(path: string, work: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + LOCK_TIMEOUT;
  while (!take(path)) {
    if (Date.now() > deadline) {
      throw new MngrFargateError('timed-out', `another process has held ${path} for ${LOCK_TIMEOUT / 60_000} minutes`);
    }
    await sleep(POLL_INTERVAL);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { force: true });
  }
}

function take(path: string): boolean {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx', mode: 0o600 });
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  }
  if (holderIsAlive(path)) return false;
  rmSync(path, { force: true });
  return false;
}

function holderIsAlive(path: string): boolean {
  try {
    const pid = Number(readFileSync(path, 'utf8'));
    // A lock without a pid is one that is being written.
    return !Number.isInteger(pid) || pid === 0 || isAlive(pid);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
}
