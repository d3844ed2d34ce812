import { randomBytes } from 'node:crypto';
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { MngrFargateError } from '../contract/errors';
import { hintOf, reasonOf } from './system-error';

/** What can be done for a file that can't be written. */
const HINTS: Readonly<Record<string, string>> = {
  EACCES: 'make the directory writable for your user',
  EPERM: 'make the directory writable for your user',
  EROFS: 'choose a directory on a writable file system',
};

/** The `failed` error for a file or directory that can't be written, with a hint if one is known. */
export function cannotWrite(path: string, error: unknown): MngrFargateError {
  const { code, message } = error as NodeJS.ErrnoException;
  return new MngrFargateError('failed', `cannot write ${path}: ${reasonOf(error) ?? message}`, {
    cause: error,
    hint: HINTS[code ?? ''] ?? hintOf(code),
    details: { path, ...(code !== undefined && { systemError: code }) },
  });
}

/**
 * Creates the directory and its missing parents with mode 0700. Existing directories keep their modes. Throws `failed`
 * (cannotWrite).
 */
export async function ensurePrivateDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw cannotWrite(path, error);
  }
}

const temporaryBeside = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.tmp`;

/**
 * Writes a file so that a reader sees either the old text or the new one, never a part of it, even if the process is
 * killed or the disk is full: a temporary file next to it is flushed to disk and then renamed. Symbolic links are
 * followed. An existing file keeps its mode; a new one gets 0600, and missing parent directories get 0700. Throws
 * `failed` (cannotWrite).
 */
export async function writeFileAtomically(path: string, content: string | Uint8Array): Promise<void> {
  await ensurePrivateDirectory(dirname(path));
  const target = await realpath(path).catch(() => path);
  const mode = await stat(target).then(
    (stats) => stats.mode & 0o7777,
    () => 0o600,
  );
  await replaceFile(target, content, mode);
}

/** Like writeFileAtomically, for secrets: the file always gets mode 0600, and a symbolic link is replaced. */
export async function writePrivateFile(path: string, content: string): Promise<void> {
  await ensurePrivateDirectory(dirname(path));
  await replaceFile(path, content, 0o600);
}

async function replaceFile(path: string, content: string | Uint8Array, mode: number): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      // The umask narrows the mode of a new file.
      await file.chmod(mode);
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

/** Like writePrivateFile, but does not wait for the disk: for files that are written often and can be recreated. */
export function writePrivateFileSync(path: string, content: string): void {
  const temporary = temporaryBeside(path);
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      writeFileSync(temporary, content, { flag: 'wx', mode: 0o600 });
      renameSync(temporary, path);
    } finally {
      rmSync(temporary, { force: true });
    }
  } catch (error) {
    throw cannotWrite(path, error);
  }
}
