import { lstat, readdir, readlink, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { CopyEntry, CopyFile, CopyLink, CopyPlan } from './plan';
import { isUndecodable, joinPath, PERMISSION_BITS } from './plan';
import type { CopyReport } from './report';

/**
 * Lists a local folder, or the single file. A link given as `local` is followed; links inside stay links. What can't be
 * copied is skipped and reported.
 */
export async function localTree(local: string, report: CopyReport): Promise<CopyPlan> {
  const directories: CopyEntry[] = [];
  const files: CopyFile[] = [];
  const links: CopyLink[] = [];
  const visit = (path: string): Promise<void> =>
    report.entry(path, 'folder', async () => {
      const full = join(local, path);
      const stats = path === '' ? await stat(full) : await lstat(full);
      const entry = { path, mode: stats.mode & PERMISSION_BITS };
      if (stats.isSymbolicLink()) {
        links.push({ ...entry, target: await readlink(full) });
      } else if (stats.isDirectory()) {
        // Read before it is added: a folder that can't be read must not arrive as an empty one.
        const names = (await readdir(full)).sort();
        directories.push(entry);
        for (const name of names) {
          if (isUndecodable(name)) report.skip(joinPath(path, name), 'its name is not UTF-8');
          else await visit(joinPath(path, name));
        }
      } else if (stats.isFile()) {
        files.push({ ...entry, size: stats.size });
      } else if (path === '') {
        throw new MngrFargateError('usage', `${local} is neither a file nor a folder, so it cannot be copied`);
      } else {
        report.skip(path, 'it is neither a file, a folder nor a link');
      }
    });
  await visit('');
  return { directories, files, links };
}
