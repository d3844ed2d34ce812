import type { RemoteEntry, RemoteFiles } from '../../contract/channel';
import { mapBounded } from '../../util/bounded';
import type { CopyEntry, CopyFile, CopyLink, CopyPlan } from './plan';
import { FILES_AT_ONCE, isUndecodable, joinPath } from './plan';
import type { CopyReport } from './report';
import { linkProblem } from './safe-link';

/** Lists a folder on the host, or the single file. What can't or mustn't be copied is skipped and reported. */
export async function remoteTree(files: RemoteFiles, base: string, report: CopyReport): Promise<CopyPlan> {
  const root = await files.stat(base);
  const rootEntry = { path: '', mode: root.mode };
  if (root.type !== 'directory') return { directories: [], files: [{ ...rootEntry, size: root.size }], links: [] };

  const directories: CopyEntry[] = [];
  const plain: CopyFile[] = [];
  const links: CopyLink[] = [];
  let level: CopyEntry[] = [rootEntry];
  while (level.length > 0) {
    report.check();
    directories.push(...level);
    const listings = await mapBounded(level, FILES_AT_ONCE, async (directory) => {
      const below: CopyEntry[] = [];
      for (const entry of await list(files, base, directory.path, report)) {
        const { path, mode, size, type } = entry;
        const common = { path, mode };
        if (type === 'directory') below.push(common);
        else if (type === 'file') plain.push({ ...common, size });
        else if (type === 'link') {
          await report.entry(path, 'link', async () => {
            const target = await files.readLink(joinPath(base, path));
            const problem = linkProblem(path, target);
            if (problem === undefined) links.push({ ...common, target });
            else report.skip(path, problem);
          });
        } else report.skip(path, 'it is neither a file, a folder nor a link');
      }
      return below;
    });
    level = listings.flat();
  }
  return { directories, files: plain, links };
}

type ListedEntry = RemoteEntry & { readonly path: string };

async function list(
  files: RemoteFiles,
  base: string,
  folder: string,
  report: CopyReport,
): Promise<readonly ListedEntry[]> {
  const names = new Set<string>();
  const entries: ListedEntry[] = [];
  await report.entry(folder, 'folder', async () => {
    for (const entry of await files.list(joinPath(base, folder))) {
      const { name } = entry;
      const problem = nameProblem(name, names);
      names.add(name);
      if (problem === undefined) entries.push({ ...entry, path: joinPath(folder, name) });
      else report.skip(folder === '' ? name : `${folder}/${name}`, problem);
    }
  });
  return entries;
}

/** Why a name that the host lists is not used. Of these, an honest host lists only names that aren't UTF-8. */
export function nameProblem(name: string, seen: ReadonlySet<string>): string | undefined {
  if (name === '' || name.includes('/') || name.includes('\0')) return 'its name is not a valid file name';
  if (process.platform === 'win32' && /[\\:]/.test(name)) return 'its name is not a valid file name here';
  if (isUndecodable(name)) return 'its name is not UTF-8';
  if (seen.has(name)) return 'the host lists its name more than once';
  return undefined;
}
