import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ImageUnavailableError } from './runtime';

/**
 * SHA-256 over names, contents, link targets and executable bits of all files in a folder, as hex; `further` are
 * settings that make it another image. `ignored` gets paths relative to the folder.
 */
export function hashFolder(
  folder: string,
  further: unknown = null,
  ignored: (path: string) => boolean = () => false,
): string {
  const hash = createHash('sha256').update(JSON.stringify(further));
  for (const path of filesIn(folder)) {
    if (ignored(path.name)) continue;
    const full = join(folder, path.name);
    const content = path.link ? readlinkSync(full) : readFileSync(full);
    const executable = !path.link && (statSync(full).mode & 0o111) !== 0;
    hash.update(JSON.stringify([path.name, path.link, executable, content.length])).update(content);
  }
  return hash.digest('hex');
}

/** The first 16 hex digits of the text's SHA-256. */
export const hashText = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

function filesIn(folder: string): { name: string; link: boolean }[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new ImageUnavailableError(`the image's folder ${folder} can't be read: ${(error as Error).message}`);
  }
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => ({ name: relative(folder, join(entry.parentPath, entry.name)), link: entry.isSymbolicLink() }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}
