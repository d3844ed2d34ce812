import { lstat, mkdir, stat, symlink, unlink } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { CopyPlan } from './plan';
import { withoutTrailingSlashes } from './plan';

/**
 * Where a copy of `base` goes here: into `local` when that is a folder, else under that name. Throws `usage` and `not-found`.
 */
export async function destinationOf(base: string, local: string, plan: CopyPlan): Promise<string> {
  const isFolder = plan.directories.length > 0;
  const existing = await stat(local).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  });
  const name = basename(base);
  if (existing?.isDirectory()) return name === '.' || name === '..' ? local : join(local, name);
  if (existing !== undefined && isFolder) {
    throw new MngrFargateError('usage', `${local} is a file, so the folder ${base} cannot take its place`);
  }
  if (existing === undefined && local.endsWith('/') && !isFolder) {
    throw new MngrFargateError('not-found', `there is no folder ${local}`, {
      hint: 'make it first, or leave out the slash at the end',
    });
  }
  return withoutTrailingSlashes(local);
}

/** True if it was created. We keep write access until the end, when it gets its final mode. */
export async function makeFolder(path: string, isRoot: boolean): Promise<boolean> {
  try {
    await mkdir(path, { mode: 0o700 });
    return true;
  } catch (error) {
    // The folder that the caller named may be a link; nothing inside it may.
    const existing = await (isRoot ? stat(path) : lstat(path)).catch(() => undefined);
    if (existing?.isDirectory()) return false;
    if (existing === undefined) throw error;
    throw Object.assign(new Error(`${path} already exists and is not a folder`), { code: 'ENOTDIR' });
  }
}

/** Makes a link, in the place of a file or link of that name. */
export async function makeLink(target: string, path: string): Promise<void> {
  const existing = await lstat(path).catch(() => undefined);
  if (existing !== undefined && !existing.isDirectory()) await unlink(path);
  await symlink(target, path);
}
