import { lstat, open, readdir, readlink, stat } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { HostChannel, RemoteFiles } from '../contract/channel';
import { MngrFargateError } from '../contract/errors';
import { mapBounded } from '../util/bounded';
import type { CopyEntry, CopyFile, CopyLink, CopyPlan } from './copy-plan';
import { FILES_AT_ONCE, joinPath, PERMISSION_BITS, remotePathOf } from './copy-plan';
import { copyProblem, isMissing } from './copy-problem';
import { inPieces, PIECE_BYTES, readFully } from './pieces';

/**
 * Copies a file or a folder to the host, like `cp -r`: into `remote` when that is a directory there or ends in `/`,
 * else under that very name. Permission bits are kept; links inside a folder stay links, a link given as `local` is
 * followed; sockets and devices are refused. Throws `not-found`, `denied`, `aborted`, `failed`.
 */
export async function upload(
  channel: HostChannel,
  local: string,
  remote: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { signal } = options;
  const plan = await planOf(local).catch((error: unknown) => {
    throw copyProblem(error, `read ${local}`);
  });
  const files = await channel.files();
  const onAbort = (): void => files.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  const check = (): void => {
    if (signal?.aborted) throw new MngrFargateError('aborted', `stopped copying ${local}`, { cause: signal.reason });
  };
  try {
    check();
    const root = await destinationOf(files, local, remote, plan);
    for (const directory of plan.directories) {
      check();
      await makeDirectory(files, joinPath(root, directory.path));
    }
    await mapBounded(plan.files, FILES_AT_ONCE, async (file) => {
      check();
      await uploadFile(files, join(local, file.path), joinPath(root, file.path), file, check);
    });
    for (const link of plan.links) {
      check();
      await makeLink(files, link.target, joinPath(root, link.path));
    }
    for (const directory of [...plan.directories].reverse())
      await files.changeMode(joinPath(root, directory.path), directory.mode);
  } catch (error) {
    check();
    throw copyProblem(error, `copy ${local} to ${remote} on the host`);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    files.close();
  }
}

async function planOf(local: string): Promise<CopyPlan> {
  const directories: CopyEntry[] = [];
  const files: CopyFile[] = [];
  const links: CopyLink[] = [];
  const visit = async (path: string): Promise<void> => {
    const full = join(local, path);
    const stats = path === '' ? await stat(full) : await lstat(full);
    const entry = { path, mode: stats.mode & PERMISSION_BITS };
    if (stats.isSymbolicLink()) {
      links.push({ ...entry, target: await readlink(full) });
    } else if (stats.isDirectory()) {
      directories.push(entry);
      for (const name of (await readdir(full)).sort()) await visit(joinPath(path, name));
    } else if (stats.isFile()) {
      files.push({ ...entry, size: stats.size });
    } else {
      throw new MngrFargateError('usage', `${full} is neither a file, a folder nor a link, so it cannot be copied`);
    }
  };
  await visit('');
  return { directories, files, links };
}

async function destinationOf(files: RemoteFiles, local: string, remote: string, plan: CopyPlan): Promise<string> {
  const path = remotePathOf(remote);
  const existing = await files.stat(path).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (existing?.type === 'directory') return joinPath(path, basename(resolve(local)));
  if (existing !== undefined && plan.directories.length > 0) {
    throw new MngrFargateError(
      'usage',
      `${remote} is a file on the host, so the folder ${local} cannot take its place`,
    );
  }
  if (existing === undefined && path.endsWith('/') && plan.directories.length === 0) {
    throw new MngrFargateError('not-found', `there is no folder ${remote} on the host`);
  }
  return path.replace(/(?<=.)\/+$/, '');
}

/** Writable for us until the end, when the folder gets its own mode. */
async function makeDirectory(files: RemoteFiles, path: string): Promise<void> {
  try {
    await files.makeDirectory(path, 0o700);
  } catch (error) {
    const existing = await files.stat(path).catch(() => undefined);
    if (existing?.type !== 'directory') throw error;
  }
}

async function makeLink(files: RemoteFiles, target: string, path: string): Promise<void> {
  const existing = await files.lstat(path).catch(() => undefined);
  if (existing !== undefined && existing.type !== 'directory') await files.removeFile(path);
  await files.makeLink(target, path);
}

async function uploadFile(
  files: RemoteFiles,
  local: string,
  remote: string,
  file: CopyFile,
  check: () => void,
): Promise<void> {
  const source = await open(local, 'r');
  try {
    const destination = await files.open(remote, 'w', file.mode | 0o200);
    try {
      await inPieces(file.size, async (position) => {
        check();
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        const length = await readFully(piece, async (rest, offset) => {
          const { bytesRead } = await source.read(rest, 0, rest.length, position + offset);
          return bytesRead;
        });
        if (length > 0) await destination.write(piece.subarray(0, length), position);
        return length;
      });
      await destination.changeMode(file.mode);
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}
