import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';

const FOLDERS = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin'];

export const programPath = (name: string): string | undefined =>
  FOLDERS.map((folder) => join(folder, name)).find((path) => existsSync(path));

/** The programs of an image: a folder for the PATH with these and no others. Names of busybox's applets are its own. */
export class ImageTools implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'image-tools-'));

  constructor(
    /** The program that is `sh` here. */
    shell: string,
    programs: readonly string[],
  ) {
    const busybox = shell === 'busybox' ? programPath('busybox') : undefined;
    this.add('sh', busybox ?? programPath(shell));
    for (const name of programs) this.add(name, busybox ?? programPath(name));
  }

  get environment(): Record<string, string> {
    return { PATH: this.folder, HOME: '/tmp' };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }

  private add(name: string, path: string | undefined): void {
    if (path === undefined) throw new Error(`${name} is not installed`);
    symlinkSync(path, join(this.folder, name));
  }
}
