import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Requirement } from '../run/requirements';

const mount = (folder: string): void => {
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k,mode=0700', 'tmpfs', folder], { stdio: 'pipe' });
};

const unmount = (folder: string): void => {
  execFileSync('umount', [folder], { stdio: 'pipe' });
  rmdirSync(folder);
};

/** Permission to mount a small file system, which a test can fill without harm. */
export const smallFileSystem: Requirement = {
  missing: () => {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-mount-'));
    try {
      mount(folder);
    } catch {
      rmdirSync(folder);
      return 'this user may not mount a small file system';
    }
    unmount(folder);
    return undefined;
  },
};

/** A file system of 128 KiB for as long as the work takes. */
export async function withSmallFileSystem(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-mount-'));
  mount(folder);
  try {
    await work(folder);
  } finally {
    unmount(folder);
  }
}
