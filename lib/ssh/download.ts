import { constants } from 'node:fs';
import { chmod, lstat, mkdir, open, stat, symlink, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import type { HostChannel, RemoteFiles } from '../contract/channel';
import { MngrFargateError } from '../contract/errors';
import { mapBounded } from '../util/bounded';
import type { CopyEntry, CopyFile, CopyLink, CopyPlan } from './copy-plan';
import { FILES_AT_ONCE, joinPath, remotePathOf } from './copy-plan';
import { copyProblem, isMissing } from './copy-problem';
import { inPieces, PIECE_BYTES, readFully } from './pieces';

/**
 * Copies a file or a folder from the host, like `cp -r`: into `local` when that is a directory or ends in `/`, else under
 * that very name. The host is not trusted: names that would leave the destination are refused, and nothing is written
 * through a link, neither one that the host sends nor one that lies in the destination's folders.
 * Throws `not-found`, `denied`, `aborted`, `failed`.
 */
export async function download(
  channel: HostChannel,
  remote: string,
  local: string,
  options: { readonly signal?: AbortSignal } = {},
): Promise<void> {
  const { signal } = options;
  const files = await channel.files();
  const onAbort = (): void => files.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  const check = (): void => {
    if (signal?.aborted) throw new MngrFargateError('aborted', `stopped copying ${remote}`, { cause: signal.reason });
  };
  try {
    const base = remotePathOf(remote).replace(/(?<=.)\/+$/, '');
    const plan = await planOf(files, base, check);
    const root = await destinationOf(base, local);
    for (const directory of plan.directories) await makeDirectory(join(root, directory.path));
    await mapBounded(plan.files, FILES_AT_ONCE, async (file) => {
      check();
      await downloadFile(files, joinPath(base, file.path), join(root, file.path), file, check);
    });
    for (const link of plan.links) await makeLink(link.target, join(root, link.path));
    for (const directory of [...plan.directories].reverse()) await chmod(join(root, directory.path), directory.mode);
  } catch (error) {
    check();
    throw copyProblem(error, `copy ${remote} on the host to ${local}`);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    files.close();
  }
}

async function planOf(files: RemoteFiles, base: string, check: () => void): Promise<CopyPlan> {
  const root = await files.stat(base);
  const rootEntry = { path: '', mode: root.mode };
  if (root.type !== 'directory') return { directories: [], files: [{ ...rootEntry, size: root.size }], links: [] };

  const directories: CopyEntry[] = [];
  const plain: CopyFile[] = [];
  const links: CopyLink[] = [];
  let level: CopyEntry[] = [rootEntry];
  while (level.length > 0) {
    check();
    directories.push(...level);
    const listings = await mapBounded(level, FILES_AT_ONCE, async (directory) => {
      const names = new Set<string>();
      const below: CopyEntry[] = [];
      for (const { name, type, mode, size } of await files.list(joinPath(base, directory.path))) {
        refuseName(name, names);
        const entry = { path: joinPath(directory.path, name), mode };
        if (type === 'directory') below.push(entry);
        else if (type === 'file') plain.push({ ...entry, size });
        else if (type === 'link') links.push({ ...entry, target: await files.readLink(joinPath(base, entry.path)) });
        else
          throw new MngrFargateError(
            'usage',
            `${joinPath(base, entry.path)} is neither a file, a folder nor a link, so it cannot be copied`,
          );
      }
      return below;
    });
    level = listings.flat();
  }
  return { directories, files: plain, links };
}

/** A file name as one host would list it, and listed once. */
function refuseName(name: string, seen: Set<string>): void {
  const escapes =
    ['', '.', '..'].includes(name) ||
    name.includes('/') ||
    name.includes('\0') ||
    (process.platform === 'win32' && /[\\:]/.test(name));
  if (escapes || seen.has(name)) {
    throw new MngrFargateError('failed', `the host lists a file by the name ${JSON.stringify(name)}, which is refused`);
  }
  seen.add(name);
}

async function destinationOf(base: string, local: string): Promise<string> {
  const existing = await stat(local).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  const name = basename(base);
  if (!existing?.isDirectory()) return local.replace(/(?<=.)\/+$/, '');
  return name === '.' || name === '..' ? local : join(local, name);
}

/** Writable for us until the end, when the folder gets its own mode. */
async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    const existing = await lstat(path).catch(() => undefined);
    if (!existing?.isDirectory()) throw error;
  }
}

async function makeLink(target: string, path: string): Promise<void> {
  const existing = await lstat(path).catch(() => undefined);
  if (existing !== undefined && !existing.isDirectory()) await unlink(path);
  await symlink(target, path);
}

async function downloadFile(
  files: RemoteFiles,
  remote: string,
  local: string,
  file: CopyFile,
  check: () => void,
): Promise<void> {
  const { O_CREAT, O_WRONLY, O_TRUNC, O_NOFOLLOW } = constants;
  // The destination that the caller named may be a link of the caller's own; nothing inside a folder may.
  const noFollow = file.path === '' ? 0 : O_NOFOLLOW;
  const source = await files.open(remote, 'r');
  try {
    const target = await open(local, O_CREAT | O_WRONLY | O_TRUNC | noFollow, 0o600);
    try {
      await inPieces(file.size, async (position) => {
        check();
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        const length = await readFully(piece, (rest, offset) => source.read(rest, position + offset));
        if (length > 0) await target.write(piece, 0, length, position);
        return length;
      });
      await target.chmod(file.mode);
    } finally {
      await target.close();
    }
  } finally {
    await source.close();
  }
}
