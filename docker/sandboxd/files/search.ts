import { createReadStream } from 'node:fs';
import { lstat, opendir } from 'node:fs/promises';
import { basename, join, relative } from 'node:path';
import type { SearchMatch } from '../../../lib/contract/sandbox-files';
import { Failure } from '../failure';

export interface Search {
  readonly path: string;
  readonly name?: string;
  readonly content?: string;
  readonly limit: number;
  readonly ignoreCase: boolean;
}

/** Of a line that is shown; more is cut. */
const LONGEST_TEXT = 1_000;
/** Of a line that is looked at. A longer one is looked at in parts. */
const LONGEST_LINE = 256 * 1024;

/**
 * A glob as a regular expression: `*` and `?` don't match a slash, `**` does, `[ab]` and `{a,b}` as in a shell. A pattern
 * without a slash is for the name, one with a slash for the path below the folder.
 */
export function globPattern(glob: string, ignoreCase: boolean): RegExp {
  let pattern = '';
  let depth = 0;
  for (let at = 0; at < glob.length; at++) {
    const letter = glob[at] as string;
    if (letter === '*') {
      if (glob[at + 1] !== '*') pattern += '[^/]*';
      else {
        at++;
        if (glob[at + 1] === '/') {
          at++;
          pattern += '(?:.*/)?';
        } else pattern += '.*';
      }
    } else if (letter === '?') pattern += '[^/]';
    else if (letter === '[') {
      const end = glob.indexOf(']', at + 2);
      if (end < 0) pattern += '\\[';
      else {
        const inside = glob
          .slice(at + 1, end)
          .replace(/^!/, '^')
          .replace(/[\\[]/g, '\\$&');
        pattern += `[${inside}]`;
        at = end;
      }
    } else if (letter === '{') {
      depth++;
      pattern += '(?:';
    } else if (letter === '}' && depth > 0) {
      depth--;
      pattern += ')';
    } else if (letter === ',' && depth > 0) pattern += '|';
    else if (letter === '\\' && at + 1 < glob.length) pattern += escaped(glob[++at] as string);
    else pattern += escaped(letter);
  }
  try {
    return new RegExp(`^${pattern}${')'.repeat(depth)}$`, `s${ignoreCase ? 'i' : ''}`);
  } catch {
    throw new Failure('bad_request', `name ${JSON.stringify(glob)} is not a valid glob: use *, ?, [..] and {a,b}`);
  }
}

const escaped = (letter: string): string => letter.replace(/[.*+?^${}()|[\]\\/]/, '\\$&');

export function contentPattern(content: string, ignoreCase: boolean): RegExp {
  try {
    return new RegExp(content, ignoreCase ? 'iu' : 'u');
  } catch (error) {
    throw new Failure('bad_request', `content is not a valid regular expression: ${(error as Error).message}`);
  }
}

/** Matches in the order of the tree. Folders that can't be entered and files that can't be read are left out. */
export async function* searchFiles(search: Search): AsyncIterable<SearchMatch> {
  const name = search.name === undefined ? undefined : globPattern(search.name, search.ignoreCase);
  const content = search.content === undefined ? undefined : contentPattern(search.content, search.ignoreCase);
  const byPath = search.name?.includes('/') === true;
  let left = search.limit;
  for await (const path of tree(search.path)) {
    if (left <= 0) return;
    const shown = byPath ? relative(search.path, path) : basename(path);
    if (name !== undefined && !name.test(shown)) continue;
    if (content === undefined) {
      left--;
      yield { path };
      continue;
    }
    for await (const match of matchesIn(path, content)) {
      yield match;
      if (--left <= 0) return;
    }
  }
}

async function* tree(path: string): AsyncIterable<string> {
  const stats = await lstat(path);
  if (!stats.isDirectory()) {
    yield path;
    return;
  }
  const names: { name: string; folder: boolean }[] = [];
  for await (const entry of await opendir(path)) names.push({ name: entry.name, folder: entry.isDirectory() });
  names.sort((a, b) => (a.name < b.name ? -1 : 1));
  for (const { name, folder } of names) {
    yield join(path, name);
    if (!folder) continue;
    try {
      yield* below(join(path, name));
    } catch {
      // Not open to the user, or removed in this moment.
    }
  }
}

async function* below(path: string): AsyncIterable<string> {
  for await (const found of tree(path)) yield found;
}

async function* matchesIn(path: string, content: RegExp): AsyncIterable<SearchMatch> {
  const stats = await lstat(path).catch(() => undefined);
  if (stats?.isFile() !== true) return;
  let line = 1;
  let rest = '';
  const look = (text: string): SearchMatch | undefined =>
    content.test(text) ? { path, line, text: text.slice(0, LONGEST_TEXT) } : undefined;
  try {
    let first = true;
    const decoder = new TextDecoder();
    for await (const bytes of createReadStream(path, { highWaterMark: 128 * 1024 })) {
      if (first && (bytes as Buffer).subarray(0, 8_000).includes(0)) return;
      first = false;
      const lines = (rest + decoder.decode(bytes as Buffer, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const text of lines) {
        const match = look(text);
        if (match !== undefined) yield match;
        line++;
      }
      if (rest.length > LONGEST_LINE) {
        const match = look(rest);
        if (match !== undefined) yield match;
        rest = '';
      }
    }
    const match = rest === '' ? undefined : look(rest);
    if (match !== undefined) yield match;
  } catch {
    // Not open to the user.
  }
}
