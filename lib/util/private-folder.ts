import { lstatSync, mkdirSync } from 'node:fs';
import { MngrFargateError } from '../contract/errors';

const OTHERS_MAY_WRITE = 0o022;

/**
 * Makes a folder for its owner alone, or accepts one that nobody else can write to. Whoever can write to a folder with
 * keys or scripts can make this program use theirs. Throws `denied` for a folder that another user owns or that its
 * group or others may write to, and for what isn't a folder, such as a symbolic link.
 *
 * `what` names the folder's purpose: "the local endpoint's state".
 */
export function ensurePrivateFolder(path: string, what: string): void {
  mkdirSync(path, { recursive: true, mode: 0o700 });
  assertPrivateFolder(path, what);
}

/** As `ensurePrivateFolder`, for a folder that is there. */
export function assertPrivateFolder(path: string, what: string): void {
  const stats = lstatSync(path);
  const refuse = (problem: string, hint: string): MngrFargateError =>
    new MngrFargateError('denied', `${path} can't hold ${what}: ${problem}`, { hint });
  if (!stats.isDirectory()) {
    throw refuse(stats.isSymbolicLink() ? 'it is a symbolic link' : 'it is not a folder', 'choose another folder');
  }
  const own = process.getuid?.();
  if (own !== undefined && stats.uid !== own) {
    throw refuse(`it belongs to user ${stats.uid}, not to you (user ${own})`, 'choose a folder of your own');
  }
  if (own !== undefined && (stats.mode & OTHERS_MAY_WRITE) !== 0) {
    throw refuse('other users can write to it', `run: chmod go-w ${path}`);
  }
}
