import type { CopyEntry, CopyFile, CopyLink, CopyPlan } from '../../ssh/copy/plan';
import { parentOf } from '../../ssh/copy/plan';
import { nameProblem } from '../../ssh/copy/remote-tree';
import type { CopyReport } from '../../ssh/copy/report';
import { linkProblem } from '../../ssh/copy/safe-link';
import { strange } from './refusals';
import type { RecordReader } from './record-reader';

/** Reads the list that the container sends. What can't or mustn't be copied is skipped and reported. */
export async function readTree(reader: RecordReader, report: CopyReport): Promise<CopyPlan> {
  const directories: CopyEntry[] = [];
  const files: CopyFile[] = [];
  const links: CopyLink[] = [];
  /** Names in each folder that is copied. */
  const seen = new Map<string, Set<string>>();

  /** False for an entry that isn't copied: below what is skipped, or with a name that means something else. */
  const isUsable = (path: string): boolean => {
    if (path === '') return directories.length + files.length === 0;
    const folder = parentOf(path);
    const names = seen.get(folder);
    if (names === undefined) return false;
    const name = folder === '' ? path : path.slice(folder.length + 1);
    const problem = name === '.' || name === '..' ? 'its name is not a valid file name' : nameProblem(name, names);
    names.add(name);
    if (problem !== undefined) report.skip(path, problem);
    return problem === undefined;
  };

  for (;;) {
    report.check();
    const text = (await reader.record()).toString('utf8');
    if (text === '.') return { directories, files, links };
    const [kind = ''] = text.split(' ', 1);
    switch (kind) {
      case 'd': {
        const [mode, path] = fields(text, /^d (\S+) ([^]*)$/);
        if (!isUsable(path)) break;
        directories.push({ path, mode: bitsOf(mode) });
        seen.set(path, new Set());
        break;
      }
      case 'f': {
        const [mode, size, path] = fields(text, /^f (\S+) (\d{1,15}) ([^]*)$/);
        if (isUsable(path)) files.push({ path, mode: bitsOf(mode), size: Number(size) });
        break;
      }
      case 'l': {
        const [path] = fields(text, /^l ([^]+)$/);
        const target = (await reader.record()).toString('utf8');
        if (!isUsable(path)) break;
        const problem = linkProblem(path, target);
        if (problem === undefined) links.push({ path, mode: 0o777, target });
        else report.skip(path, problem);
        break;
      }
      case 'o': {
        const [path] = fields(text, /^o ([^]+)$/);
        if (isUsable(path)) report.skip(path, 'it is neither a file, a folder nor a link');
        break;
      }
      case 'n': {
        const [path] = fields(text, /^n ([^]*)$/);
        if (isUsable(path)) await report.entry(path, 'folder', () => Promise.reject(unreadable()));
        break;
      }
      default:
        throw strange();
    }
  }
}

export const unreadable = (): Error => Object.assign(new Error('permission denied'), { code: 'EACCES' });

function fields(text: string, form: RegExp): [string, string, string] {
  const [, one, two = '', three = ''] = form.exec(text) ?? [];
  if (one === undefined) throw strange();
  return [one, two, three];
}

/** Permission bits of `drwxr-xr-x`, as `ls` prints them; `s` and `t` mean an `x` as well. */
function bitsOf(text: string): number {
  const letters = text.slice(1, 10);
  if (!/^[-rwxsStTlL]{9}$/.test(letters)) throw strange();
  return [...letters].reduce((bits, letter) => bits * 2 + (/[-STLl]/.test(letter) ? 0 : 1), 0);
}
