import { spawn } from 'node:child_process';
import { constants } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { open, readFile, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MngrFargateError } from '../contract/errors';
import { abortedError } from './abort';
import { cannotWrite, ensurePrivateDirectory } from './atomic-file';

export interface LockOptions {
  /** Milliseconds to wait for another holder. Default 30,000. */
  readonly timeoutMs?: number;
  /** Ends the wait for the lock. Work that has started keeps running. */
  readonly signal?: AbortSignal;
}

/** The file that is locked for a path. */
export const lockFileOf = (path: string): string => `${path}.lock`;

/**
 * Runs `work` while no other process, and no other call in this one, holds the lock for the same path. It is the operating
 * system's own lock, flock(2) on `<path>.lock`. The system releases it when its holder ends, however that happens, so a
 * lock is never stale and is never taken from a process that still holds it. The holder removes the file when it is done;
 * a file that a killed process leaves behind does no harm.
 *
 * Throws `timed-out` if others hold the lock for too long, `aborted` if the signal fires first, and `failed` if the file
 * can't be created or locked.
 */
export async function withFileLock<T>(
  path: string,
  work: () => Promise<T>,
  { timeoutMs = 30_000, signal }: LockOptions = {},
): Promise<T> {
  const lock = lockFileOf(path);
  const tooLate = AbortSignal.timeout(timeoutMs);
  const giveUp = signal === undefined ? tooLate : AbortSignal.any([signal, tooLate]);
  const held = await take(lock, giveUp).catch(async (error: unknown) => {
    if (signal?.aborted) throw abortedError(`waiting for ${lock}`, signal);
    throw giveUp.aborted ? await heldTooLong(lock, timeoutMs) : error;
  });
  try {
    return await work();
  } finally {
    // While the file is locked, nobody else can have taken its name. It is gone if its directory was removed.
    if (await isNamed(held, lock)) await rm(lock, { force: true });
    await held.close();
  }
}

/** A process that locks a file which its last holder has removed in the meantime has locked nothing, and starts over. */
async function take(lock: string, giveUp: AbortSignal): Promise<FileHandle> {
  for (;;) {
    const file = await openLocked(lock, giveUp);
    try {
      if (await isNamed(file, lock)) {
        await file.truncate();
        await file.write(`${process.pid}\n`, 0);
        return file;
      }
    } catch (error) {
      await file.close();
      throw cannotWrite(lock, error);
    }
    await file.close();
    giveUp.throwIfAborted();
  }
}

async function isNamed(file: FileHandle, path: string): Promise<boolean> {
  const [open, named] = await Promise.all([
    file.stat({ bigint: true }),
    stat(path, { bigint: true }).catch(() => undefined),
  ]);
  return named !== undefined && named.ino === open.ino && named.dev === open.dev;
}

const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT;
/** BSD's and macOS's flag for an open(2) that takes the lock as well. Node has no name for it. */
const O_EXLOCK = 0x20;
/** How often macOS is polled. */
const RETRY_MS = 25;

const openLocked = (lock: string, giveUp: AbortSignal): Promise<FileHandle> =>
  process.platform === 'darwin' ? openWithLock(lock, giveUp) : openThenLock(lock, giveUp);

async function openWithLock(lock: string, giveUp: AbortSignal): Promise<FileHandle> {
  for (;;) {
    const file = await openFile(lock, OPEN_FLAGS | O_EXLOCK | constants.O_NONBLOCK);
    if (file !== 'locked') return file;
    await delay(RETRY_MS, undefined, { signal: giveUp });
  }
}

async function openThenLock(lock: string, giveUp: AbortSignal): Promise<FileHandle> {
  const file = (await openFile(lock, OPEN_FLAGS)) as FileHandle;
  try {
    await flock(file, lock, giveUp);
    return file;
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** Returns `locked` if the flags ask for the lock and somebody else has it. */
async function openFile(path: string, flags: number): Promise<FileHandle | 'locked'> {
  for (;;) {
    await ensurePrivateDirectory(dirname(path));
    try {
      return await open(path, flags, 0o600);
    } catch (error) {
      const code = systemError(error);
      if (code === 'EAGAIN') return 'locked';
      // The directory was removed in between: its last user has cleaned up.
      if (code !== 'ENOENT') throw cannotWrite(path, error);
    }
  }
}

/**
 * Node has no flock(2). The flock program (util-linux, BusyBox) takes the lock on a file descriptor that it inherits. The
 * lock belongs to the open file that both share, so this process keeps it when the program ends.
 */
function flock(file: FileHandle, lock: string, giveUp: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn('flock', ['-x', '3'], {
      cwd: '/',
      stdio: ['ignore', 'ignore', 'pipe', file.fd],
      signal: giveUp,
      killSignal: 'SIGKILL',
    });
    let said = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.once('error', (error) => {
      reject(systemError(error) === 'ENOENT' ? noFlock(lock, error) : error);
    });
    child.once('close', (exitCode, killedBy) => {
      if (exitCode === 0) return resolve();
      const reason = said.trim() || `flock ended with ${killedBy ?? exitCode}`;
      reject(new MngrFargateError('failed', `cannot lock ${lock}: ${reason}`));
    });
  });
}

const systemError = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;

const noFlock = (lock: string, cause: unknown): MngrFargateError =>
  new MngrFargateError('failed', `cannot lock ${lock}: the program "flock" is not on the PATH`, {
    cause,
    hint: 'install util-linux, which contains it',
  });

async function heldTooLong(lock: string, timeoutMs: number): Promise<MngrFargateError> {
  const [holder] = /^\d{1,10}$/m.exec(await readFile(lock, 'utf8').catch(() => '')) ?? [];
  const who = holder === undefined ? 'another process' : `process ${holder}`;
  return new MngrFargateError('timed-out', `${who} has held ${lock} for ${timeoutMs / 1000} seconds`, {
    hint: 'try again once it has ended',
  });
}
