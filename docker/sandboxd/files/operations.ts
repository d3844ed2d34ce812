import { randomBytes } from 'node:crypto';
import type { Stats } from 'node:fs';
import { constants, createReadStream } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  open,
  readdir,
  readlink,
  realpath,
  rename,
  rm,
  rmdir,
  stat,
  unlink,
} from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { FileStatus } from '../../../lib/contract/sandbox-files';
import { Failure } from '../failure';

/** How many files are looked at together. */
const TOGETHER = 32;

function typeOf(stats: Stats): FileStatus['type'] {
  if (stats.isFile()) return 'file';
  if (stats.isDirectory()) return 'directory';
  return stats.isSymbolicLink() ? 'link' : 'other';
}

async function describe(path: string, stats: Stats): Promise<FileStatus> {
  const type = typeOf(stats);
  return {
    name: basename(path),
    path,
    type,
    size: stats.size,
    mode: stats.mode & 0o7777,
    modifiedAt: Math.floor(stats.mtimeMs),
    uid: stats.uid,
    gid: stats.gid,
    ...(type === 'link' ? { target: await readlink(path) } : {}),
  };
}

/** Whether a file is one that is being written, and has no name of its own yet. */
export const isUpload = (name: string): boolean => /^\.upload-[0-9a-f]{18}$/.test(name);

/** Of the file itself: a link isn't followed. */
export const statusOf = async (path: string): Promise<FileStatus> => describe(path, await lstat(path));

/** By name. What is removed meanwhile is left out. */
export async function listFolder(path: string): Promise<FileStatus[]> {
  const names = (await readdir(path)).sort();
  const found: FileStatus[] = [];
  for (let at = 0; at < names.length; at += TOGETHER) {
    const some = names.slice(at, at + TOGETHER).map((name) => statusOf(join(path, name)).catch(() => undefined));
    for (const status of await Promise.all(some)) if (status !== undefined) found.push(status);
  }
  return found;
}

/** A regular file's bytes, through links. A pipe or a device isn't opened: reading one might never end. */
export async function readFileFrom(
  path: string,
  start: number | undefined,
  end: number | undefined,
): Promise<{ readonly status: FileStatus; readonly data: Readable }> {
  const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stats = await file.stat();
    if (stats.isDirectory()) throw new Failure('is_a_directory', `${JSON.stringify(path)} is a folder: name a file`);
    if (!stats.isFile()) throw new Failure('bad_request', `${JSON.stringify(path)} is not a regular file: name one`);
    if (start !== undefined && start > 0 && start >= stats.size) {
      throw new Failure(
        'range_not_satisfiable',
        `${JSON.stringify(path)} has ${stats.size} bytes: start before its end`,
      );
    }
    const range = { ...(start === undefined ? {} : { start }), ...(end === undefined ? {} : { end }) };
    const data = createReadStream('', { fd: file, highWaterMark: 256 * 1024, ...range });
    return { status: await describe(path, stats), data };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/** The file that is written when this path is: where a link leads. */
async function written(path: string): Promise<{ readonly path: string; readonly mode: number | undefined }> {
  try {
    const real = await realpath(path);
    const stats = await stat(real);
    if (stats.isDirectory()) throw new Failure('is_a_directory', `${JSON.stringify(path)} is a folder: name a file`);
    if (!stats.isFile()) throw new Failure('bad_request', `${JSON.stringify(path)} is not a regular file: name one`);
    return { path: real, mode: stats.mode & 0o7777 };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  // A link to nothing is replaced, like a missing file is made.
  return { path, mode: undefined };
}

/** Readers find the old content or all of the new: it is written beside the file and then takes its name. */
export async function writeFileTo(path: string, data: Readable, mode: number | undefined): Promise<FileStatus> {
  await mkdir(dirname(path), { recursive: true });
  const target = await written(path);
  const beside = join(dirname(target.path), `.upload-${randomBytes(9).toString('hex')}`);
  const file = await open(beside, 'wx', 0o600);
  try {
    // Destroying the request would close its connection, and with it the way of the answer that the disk is full.
    const kept = (data as Readable).iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
    await pipeline(kept, file.createWriteStream({ highWaterMark: 256 * 1024 }));
    await chmod(beside, mode ?? target.mode ?? 0o644);
    await rename(beside, target.path);
  } catch (error) {
    await unlink(beside).catch(() => undefined);
    throw error;
  }
  return statusOf(path);
}

export async function makeFolder(path: string, mode: number | undefined, parents: boolean): Promise<FileStatus> {
  const made = await mkdir(path, { recursive: parents });
  if (mode !== undefined && (!parents || made !== undefined)) await chmod(path, mode);
  return statusOf(path);
}

export async function moveFile(from: string, to: string, overwrite: boolean): Promise<FileStatus> {
  await lstat(from);
  if (!overwrite) {
    const there = await lstat(to).then(
      () => true,
      () => false,
    );
    if (there) throw new Failure('file_exists', `${JSON.stringify(to)} already exists: ask to overwrite it`);
  }
  await mkdir(dirname(to), { recursive: true });
  await rename(from, to);
  return statusOf(to);
}

/** Links keep their mode, and what they lead to does too. */
export async function changeModeOf(path: string, mode: number, recursive: boolean): Promise<FileStatus> {
  const stats = await lstat(path);
  if (stats.isDirectory() && recursive) {
    for (const name of await readdir(path)) await changeModeOf(join(path, name), mode, true);
  }
  if (!stats.isSymbolicLink()) await chmod(path, mode);
  return statusOf(path);
}

export async function removeFile(path: string, recursive: boolean): Promise<void> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) return unlink(path);
  if (!recursive) return rmdir(path);
  await rm(path, { recursive: true, force: true });
}
