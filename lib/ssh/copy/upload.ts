import { open } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import type { HostChannel, RemoteFiles } from '../../contract/channel';
import { MngrFargateError } from '../../contract/errors';
import { mapBounded } from '../../util/bounded';
import { localTree } from './local-tree';
import { inPieces, PIECE_BYTES, readFully } from './pieces';
import type { CopyEntry, CopyPlan, FileCopy } from './plan';
import { FILES_AT_ONCE, joinPath, remotePathOf, withoutTrailingSlashes } from './plan';
import { copyProblem, isMissing } from './problem';
import { CopyReport } from './report';
import type { CopyOptions, CopyResult } from './report';

/**
 * Copies a file or a folder to the host, like `scp -r`: into `remote` when that is a folder there, else under that name.
 * One failure doesn't stop the rest. Files and new folders get the permission bits that they have here; existing folders
 * keep theirs. Links inside a folder stay links, and a link given as `local` is followed. Sockets, pipes and devices are
 * skipped.
 * Throws `usage`, `not-found`, `denied`, `aborted`, `failed`.
 */
export async function upload(
  channel: Pick<HostChannel, 'files'>,
  local: string,
  remote: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { signal } = options;
  const report = new CopyReport(local, options, copyProblem);
  const plan = await localTree(local, report);
  const files = await channel.files();
  const onAbort = (): void => files.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    report.check();
    const root = await destinationOf(files, local, remote, plan);
    report.expect(plan.files);
    const made: CopyEntry[] = [];
    for (const folder of plan.directories) {
      await report.entry(folder.path, 'folder', async () => {
        if (await makeFolder(files, joinPath(root, folder.path))) made.push(folder);
      });
    }
    await mapBounded(plan.files, FILES_AT_ONCE, (file) =>
      report.entry(file.path, 'file', () =>
        uploadFile(files, { ...file, from: join(local, file.path), to: joinPath(root, file.path) }, report),
      ),
    );
    for (const link of plan.links)
      await report.entry(link.path, 'link', () => makeLink(files, link.target, joinPath(root, link.path)));
    for (const folder of made.reverse()) await files.changeMode(joinPath(root, folder.path), folder.mode);
    return report.result();
  } catch (error) {
    report.check();
    throw copyProblem(error, `copy ${local} to ${remote} on the host`);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    files.close();
  }
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
  return withoutTrailingSlashes(path);
}

/** True if it was created. We keep write access until the end, when it gets its final mode. */
async function makeFolder(files: RemoteFiles, path: string): Promise<boolean> {
  try {
    await files.makeDirectory(path, 0o700);
    return true;
  } catch (error) {
    const existing = await files.stat(path).catch(() => undefined);
    if (existing?.type === 'directory') return false;
    throw error;
  }
}

async function makeLink(files: RemoteFiles, target: string, path: string): Promise<void> {
  const existing = await files.lstat(path).catch(() => undefined);
  if (existing !== undefined && existing.type !== 'directory') await files.removeFile(path);
  await files.makeLink(target, path);
}

async function uploadFile(files: RemoteFiles, { from, to, mode, size }: FileCopy, report: CopyReport): Promise<void> {
  const source = await open(from, 'r');
  try {
    const destination = await files.open(to, 'w', mode | 0o200);
    try {
      await inPieces(size, async (position) => {
        report.check();
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        const length = await readFully(piece, async (rest, offset) => {
          const { bytesRead } = await source.read(rest, 0, rest.length, position + offset);
          return bytesRead;
        });
        if (length > 0) await destination.write(piece.subarray(0, length), position);
        report.copied(length);
        return length;
      });
      await destination.changeMode(mode);
    } finally {
      await destination.close();
    }
  } finally {
    await source.close();
  }
}
