import { createHash } from 'node:crypto';
import { accessSync, chownSync, constants, mkdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { Places, Settings } from '../settings';
import type { Keeper } from './keeper';
import type { Pipes } from './pipes';

const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What commands run on: the machine, its user, and the engine's pipes. */
export class Host {
  readonly root = process.getuid?.() === 0;
  /** Tells this engine's things from another's on the same machine. */
  readonly tag: string;
  /** Path of bash; undefined where there is only sh. */
  readonly bash = findProgram('bash');

  constructor(
    readonly settings: Settings,
    readonly places: Places,
    readonly pipes: Pipes,
    readonly keeper: Keeper,
  ) {
    this.tag = createHash('sha256').update(settings.directory).digest('hex').slice(0, 8);
  }

  /** For the default user's processes. Only root can become another user. */
  get identity(): { readonly uid?: number; readonly gid?: number } {
    return this.root ? { uid: this.settings.user.uid, gid: this.settings.user.gid } : {};
  }

  /** What every command finds in its environment: nothing of the engine's own. */
  environment(user = this.settings.user): Record<string, string> {
    return {
      PATH: SYSTEM_PATH,
      HOME: user.home,
      USER: user.name,
      LOGNAME: user.name,
      SHELL: this.bash ?? '/bin/sh',
      LANG: 'C.UTF-8',
    };
  }

  /** The workspace, or the next best if somebody removed it. */
  startFolder(home: string): string {
    return [this.settings.workspace, home].find(isFolder) ?? '/';
  }

  /** The workspace and the home of the sandbox's user. */
  prepareFolders(): void {
    const { uid, gid, home } = this.settings.user;
    for (const folder of [this.settings.workspace, home]) {
      if (isFolder(folder)) continue;
      mkdirSync(folder, { recursive: true, mode: 0o755 });
      if (this.root) chownSync(folder, uid, gid);
    }
  }
}

const isFolder = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch {
    return false;
  }
};

/** Full path of a program in the system's folders. */
export function findProgram(name: string): string | undefined {
  return SYSTEM_PATH.split(':')
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
