import { mkdir, open, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MngrFargateError } from '../contract/errors';

const RETRY_MS = 25;
/** A lock is held for one small read and write; one this old belongs to a process that died. */
const STALE_MS = 10_000;
const GIVE_UP_MS = 30_000;

const errorCode = (error: unknown): unknown => (error as NodeJS.ErrnoException).code;

/** Runs `work` while no other process of this program runs it for the same path (`<path>.lock`). */
export async function withFileLock<Result>(path: string, work: () => Promise<Result>): Promise<Result> {
  const lock = `${path}.lock`;
  await mkdir(dirname(lock), { recursive: true, mode: 0o700 });
  const deadline = Date.now() + GIVE_UP_MS;
  for (;;) {
    try {
      await (await open(lock, 'wx', 0o600)).close();
      break;
    } catch (error) {
      if (errorCode(error) !== 'EEXIST') throw error;
    }
    const age = await stat(lock).then(
      (stats) => Date.now() - stats.mtimeMs,
      () => 0,
    );
    if (age > STALE_MS) await rm(lock, { force: true });
    else if (Date.now() > deadline) {
      throw new MngrFargateError('timed-out', `${lock} is held by another process`, {
        hint: 'remove the file if no other mngr-fargate is running',
      });
    } else await sleep(RETRY_MS);
  }
  try {
    return await work();
  } finally {
    await rm(lock, { force: true });
  }
}
