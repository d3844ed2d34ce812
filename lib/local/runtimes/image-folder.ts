import { createHash } from 'node:crypto';
import type { Dirent } from 'node:fs';
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import { ImageUnavailableError } from './runtime';

/** Paths of all files and links in a folder, relative to it, sorted. */
export function filesIn(folder: string): string[] {
  let entries: Dirent[];
  try {
    entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  } catch (error) {
    throw new ImageUnavailableError(`the image's folder ${folder} can't be read: ${(error as Error).message}`);
  }
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)))
    .sort();
}

/**
 * SHA-256, as hex, over names, contents, link targets and executable bits of files in a folder; `settings` are what
 * else makes it another image.
 */
export function hashFiles(folder: string, files: readonly string[], settings: unknown = null): string {
  const hash = createHash('sha256').update(JSON.stringify(settings));
  for (const name of files) {
    const file = join(folder, name);
    const target = linkTarget(file);
    const content = target ?? readFileSync(file);
    const executable = target === undefined && (statSync(file).mode & 0o111) !== 0;
    hash.update(JSON.stringify([name, target !== undefined, executable, content.length])).update(content);
  }
  return hash.digest('hex');
}

/** The first 16 hex digits of the text's SHA-256. */
export const hashText = (text: string): string => createHash('sha256').update(text).digest('hex').slice(0, 16);

function linkTarget(file: string): string | undefined {
  try {
    return readlinkSync(file);
  } catch {
    return undefined;
  }
}
