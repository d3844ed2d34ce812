import { randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, rename, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { PERMISSION_BITS } from './plan';

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_WRONLY } = constants;

/** How a file's content is written: at positions in any order, or one piece after the other for a pipe or a device. */
export type WriteMode = 'positioned' | 'sequential';

/**
 * Writes a local file completely or not at all: to a temporary file beside it, which is then renamed. A link of that name is
 * replaced and never written through; an existing file keeps its permission bits. Pipes and devices are written to
 * directly. A new file gets `mode` minus the umask.
 */
export async function replaceFile(
  path: string,
  mode: number,
  write: (handle: FileHandle, how: WriteMode) => Promise<void>,
): Promise<void> {
  const existing = await lstat(path).catch(() => undefined);
  if (await isStreamLike(path)) {
    await withHandle(await open(path, O_WRONLY), (handle) => write(handle, 'sequential'));
    return;
  }
  if (existing?.isDirectory()) throw Object.assign(new Error('there is a folder of that name'), { code: 'EISDIR' });
  const finalMode = existing?.isFile() ? existing.mode & PERMISSION_BITS : mode & ~process.umask();
  const temporary = join(dirname(path), `.mngr-fargate-${randomBytes(6).toString('hex')}`);
  const handle = await open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600);
  try {
    await withHandle(handle, async () => {
      await write(handle, 'positioned');
      await handle.chmod(finalMode);
    });
    await rename(temporary, path);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** True for a pipe or a device, also through a link such as /dev/stdout. These must not be replaced. */
async function isStreamLike(path: string): Promise<boolean> {
  const stats = await stat(path).catch(() => undefined);
  if (stats === undefined) return false;
  if (stats.isFIFO() || stats.isCharacterDevice() || stats.isBlockDevice()) return true;
  return /^\/(?:dev|proc)\//.test(resolve(path));
}

async function withHandle(handle: FileHandle, work: (handle: FileHandle) => Promise<void>): Promise<void> {
  try {
    await work(handle);
  } catch (error) {
    await handle.close().catch(() => undefined);
    throw error;
  }
  // Some file systems report a full disk only here.
  await handle.close();
}

/** Writes all bytes: one write call may take fewer, for example on a nearly full disk. `position` null appends. */
export async function writeFully(handle: FileHandle, bytes: Buffer, position: number | null): Promise<void> {
  for (let done = 0; done < bytes.length;) {
    const at = position === null ? null : position + done;
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, at);
    if (bytesWritten === 0) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
    done += bytesWritten;
  }
}
