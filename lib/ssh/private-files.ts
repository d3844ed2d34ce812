import { randomBytes } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MngrFargateError } from '../contract/errors';

const HINTS: Readonly<Record<string, string>> = {
  ENOSPC: 'free some disk space and try again',
  EDQUOT: 'free some of your disk quota and try again',
  EACCES: 'make the directory writable for your user',
  EPERM: 'make the directory writable for your user',
  EROFS: 'choose a key directory on a file system that can be written',
};

function cannotWrite(path: string, error: unknown): MngrFargateError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new MngrFargateError('failed', `cannot write ${path}: ${message}`, {
    cause: error,
    hint: code === undefined ? undefined : HINTS[code],
    details: { path, ...(code !== undefined && { systemError: code }) },
  });
}

/** Makes the directory and its missing parents, 0700 each. Parents that exist keep their modes. */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

/**
 * Writes a file that only its owner can read (0600), in a directory of the same kind. Whole or not at all: the text
 * goes to a new file beside it, reaches the disk, and takes the name in one step, so a full disk or a killed process
 * never leaves half a key.
 */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await ensurePrivateDirectory(dirname(path));
  const temporary = `${path}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const file = await open(temporary, 'wx', 0o600);
    try {
      await file.writeFile(content);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw cannotWrite(path, error);
  }
}
