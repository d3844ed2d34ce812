import { randomBytes } from 'node:crypto';
import { mkdir, open, realpath, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/**
 * Writes a file so that a reader sees the old text or the new one, never a part: temporary file beside it, fsync, rename.
 * Keeps the file's mode and follows a symbolic link to the file behind it. A new file gets `mode` (default 0600), and
 * missing parent directories are made for their owner alone.
 */
export async function writeFileAtomically(path: string, text: string, mode = 0o600): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const target = await realpath(path).catch(() => path);
  const presentMode = await stat(target).then(
    (stats) => stats.mode & 0o7777,
    () => mode,
  );
  const temporary = `${target}.${randomBytes(6).toString('hex')}.tmp`;
  try {
    const handle = await open(temporary, 'wx', presentMode);
    try {
      // The umask narrows the mode of a new file; what the file had before counts.
      await handle.chmod(presentMode);
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, target);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
