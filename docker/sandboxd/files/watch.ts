import type { FSWatcher } from 'node:fs';
import { watch } from 'node:fs';
import { lstat, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { WatchChange } from '../../../lib/contract/sandbox-files';
import { Failure } from '../failure';
import { isUpload } from './operations';

/** The kernel gives a user 8,192 and more of them. */
const MOST_FOLDERS = 5_000;

/** Watches a file or a folder, with all folders in it if asked. Calls back in order; `gone` when the path itself is. */
export class Watch {
  private readonly folders = new Map<string, { readonly watcher: FSWatcher; readonly names: Set<string> }>();
  private work: Promise<void> = Promise.resolve();
  private closed = false;

  private constructor(
    private readonly recursive: boolean,
    private readonly changed: (change: WatchChange) => void,
    private readonly gone: () => void,
  ) {}

  static async start(
    path: string,
    recursive: boolean,
    changed: (change: WatchChange) => void,
    gone: () => void,
  ): Promise<Watch> {
    const watched = new Watch(recursive, changed, gone);
    try {
      if ((await lstat(path)).isDirectory()) await watched.add(path, false);
      else watched.addFile(path);
    } catch (error) {
      watched.close();
      throw error;
    }
    return watched;
  }

  close(): void {
    this.closed = true;
    for (const { watcher } of this.folders.values()) watcher.close();
    this.folders.clear();
  }

  private addFile(path: string): void {
    const watcher = watch(path, (event) => {
      this.later(async () => {
        if (await exists(path)) return this.tell({ type: 'changed', path });
        this.tell({ type: 'removed', path });
        if (event === 'rename') this.gone();
      });
    });
    this.folders.set(path, { watcher, names: new Set() });
  }

  /** Watched first and read then, so that nothing is missed in between. */
  private async add(folder: string, tell: boolean): Promise<void> {
    if (this.closed || this.folders.has(folder)) return;
    if (this.folders.size >= MOST_FOLDERS) {
      throw new Failure('bad_request', `there are more than ${MOST_FOLDERS} folders to watch: watch fewer`);
    }
    const top = this.folders.size === 0;
    const watcher = watch(folder, (_event, name) => {
      this.later(() => (name === null || isUpload(name) ? Promise.resolve() : this.look(folder, name)));
    });
    watcher.on('error', () => undefined);
    const names = new Set<string>();
    this.folders.set(folder, { watcher, names });
    watcher.on('close', () => {
      if (top && !this.closed) this.gone();
    });
    for (const entry of await readdir(folder, { withFileTypes: true })) {
      names.add(entry.name);
      if (tell) this.tell({ type: 'created', path: join(folder, entry.name) });
      if (this.recursive && entry.isDirectory()) await this.add(join(folder, entry.name), tell);
    }
  }

  private async look(folder: string, name: string): Promise<void> {
    const known = this.folders.get(folder);
    if (known === undefined) return;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    const had = known.names.has(name);
    if (found === undefined) {
      if (had) this.tell({ type: 'removed', path });
      known.names.delete(name);
      this.forget(path);
      if (this.folders.size > 0 && !(await exists(folder))) this.forgetTop(folder);
      return;
    }
    known.names.add(name);
    this.tell({ type: had ? 'changed' : 'created', path });
    if (this.recursive && found.isDirectory()) await this.add(path, true).catch(() => undefined);
  }

  private forget(path: string): void {
    for (const [folder, { watcher }] of this.folders) {
      if (folder !== path && !folder.startsWith(`${path}/`)) continue;
      this.folders.delete(folder);
      watcher.close();
    }
  }

  private forgetTop(folder: string): void {
    if (this.folders.keys().next().value === folder) this.gone();
  }

  private tell(change: WatchChange): void {
    if (!this.closed) this.changed(change);
  }

  private later(work: () => Promise<void>): void {
    this.work = this.work.then(work).catch(() => undefined);
  }
}

const exists = (path: string): Promise<boolean> =>
  lstat(path).then(
    () => true,
    () => false,
  );
