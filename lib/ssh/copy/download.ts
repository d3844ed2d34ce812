import { chmod } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostChannel, RemoteFiles } from '../../contract/channel';
import { mapBounded } from '../../util/bounded';
import { replaceFile, writeFully } from './local-file';
import { destinationOf, makeFolder, makeLink } from './local-place';
import { inPieces, PIECE_BYTES, readFully } from './pieces';
import type { CopyEntry, FileCopy } from './plan';
import { FILES_AT_ONCE, joinPath, remotePathOf, withoutTrailingSlashes } from './plan';
import { copyProblem } from './problem';
import { remoteTree } from './remote-tree';
import { CopyReport } from './report';
import type { CopyOptions, CopyResult } from './report';

/**
 * Copies a file or a folder from the host, like `scp -r`: into `local` when that is a folder, else under that name. One
 * failure doesn't stop the rest.
 *
 * The host is not trusted: names that would leave the destination, links that point outside the copied folder, sockets, pipes
 * and devices are skipped, and nothing is written through a link. New files and folders get the host's permission bits minus
 * the umask; existing ones keep theirs.
 * Throws `usage`, `not-found`, `denied`, `aborted`, `failed`.
 */
export async function download(
  channel: Pick<HostChannel, 'files'>,
  remote: string,
  local: string,
  options: CopyOptions = {},
): Promise<CopyResult> {
  const { signal } = options;
  const report = new CopyReport(remote, options, copyProblem);
  const files = await channel.files();
  const onAbort = (): void => files.close();
  signal?.addEventListener('abort', onAbort, { once: true });
  try {
    report.check();
    const base = withoutTrailingSlashes(remotePathOf(remote));
    const plan = await remoteTree(files, base, report);
    const root = await destinationOf(base, local, plan);
    report.expect(plan.files);
    const made: CopyEntry[] = [];
    for (const folder of plan.directories) {
      await report.entry(folder.path, 'folder', async () => {
        if (await makeFolder(join(root, folder.path), folder.path === '')) made.push(folder);
      });
    }
    await mapBounded(plan.files, FILES_AT_ONCE, (file) =>
      report.entry(file.path, 'file', () =>
        downloadFile(files, { ...file, from: joinPath(base, file.path), to: join(root, file.path) }, report),
      ),
    );
    for (const link of plan.links)
      await report.entry(link.path, 'link', () => makeLink(link.target, join(root, link.path)));
    for (const folder of made.reverse()) await chmod(join(root, folder.path), folder.mode & ~process.umask());
    return report.result();
  } catch (error) {
    report.check();
    throw copyProblem(error, `copy ${remote} on the host to ${local}`);
  } finally {
    signal?.removeEventListener('abort', onAbort);
    files.close();
  }
}

async function downloadFile(files: RemoteFiles, { from, to, mode, size }: FileCopy, report: CopyReport): Promise<void> {
  const source = await files.open(from, 'r');
  try {
    await replaceFile(to, mode, async (target, how) => {
      const copyPiece = async (position: number): Promise<number> => {
        report.check();
        const piece = Buffer.allocUnsafe(PIECE_BYTES);
        const length = await readFully(piece, (rest, offset) => source.read(rest, position + offset));
        await writeFully(target, piece.subarray(0, length), how === 'sequential' ? null : position);
        report.copied(length);
        return length;
      };
      await inPieces(how === 'sequential' ? 0 : size, copyPiece);
    });
  } finally {
    await source.close().catch(() => undefined);
  }
}
