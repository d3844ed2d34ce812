import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { parse, stringify } from './json-dates';

const JOURNAL = 'state.jsonl';
/** Changes are collected for this long, then written together. Milliseconds. */
const WRITE_DELAY = 50;
/** The journal is rewritten once it has this many times more lines than there are records. */
const COMPACTION_FACTOR = 4;
const COMPACTION_MINIMUM = 2000;

/** Records of one kind by their keys. Values are live objects: after changing one in place, `set` it again. */
export interface Collection<T> {
  get(key: string): T | undefined;
  set(key: string, value: T): void;
  delete(key: string): void;
  values(): IterableIterator<T>;
  entries(): IterableIterator<[string, T]>;
  readonly size: number;
}

/**
 * The endpoint's state: in memory, with every change appended to a journal of JSON lines. Reading it back tolerates a
 * last line that a crash cut off; rewriting it is atomic. The file is readable by its owner alone.
 */
export class Store {
  private readonly collections = new Map<string, Map<string, unknown>>();
  private readonly dirty = new Map<string, Set<string>>();
  private file: FileHandle | undefined;
  private lines = 0;
  private timer: NodeJS.Timeout | undefined;
  private writing: Promise<void> = Promise.resolve();

  private constructor(private readonly directory: string | undefined) {}

  /** Opens the state in a directory, which is created if necessary; without a directory nothing is saved. */
  static async open(directory?: string): Promise<Store> {
    const store = new Store(directory);
    if (directory !== undefined) {
      await mkdir(directory, { recursive: true, mode: 0o700 });
      await store.load(directory);
      await store.compact();
    }
    return store;
  }

  collection<T>(name: string): Collection<T> {
    const records = this.records(name) as Map<string, T>;
    return {
      get: (key) => records.get(key),
      set: (key, value) => {
        records.set(key, value);
        this.touch(name, key);
      },
      delete: (key) => {
        if (records.delete(key)) this.touch(name, key);
      },
      values: () => records.values(),
      entries: () => records.entries(),
      get size() {
        return records.size;
      },
    };
  }

  /** Resolves once every change made so far is in the file. */
  async flush(): Promise<void> {
    clearTimeout(this.timer);
    this.timer = undefined;
    this.writing = this.writing.then(() => this.write());
    await this.writing;
  }

  async close(): Promise<void> {
    await this.flush();
    await this.file?.close();
    this.file = undefined;
  }

  private records(name: string): Map<string, unknown> {
    let records = this.collections.get(name);
    if (records === undefined) {
      records = new Map();
      this.collections.set(name, records);
    }
    return records;
  }

  private touch(name: string, key: string): void {
    if (this.directory === undefined) return;
    let keys = this.dirty.get(name);
    if (keys === undefined) {
      keys = new Set();
      this.dirty.set(name, keys);
    }
    keys.add(key);
    this.timer ??= setTimeout(() => void this.flush(), WRITE_DELAY).unref();
  }

  private async load(directory: string): Promise<void> {
    let text: string;
    try {
      text = await readFile(join(directory, JOURNAL), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
      throw error;
    }
    for (const line of text.split('\n')) {
      if (line === '') continue;
      let entry: unknown;
      try {
        entry = parse(line);
      } catch {
        continue;
      }
      const [name, key, value] = entry as [string, string, unknown];
      if (value === null) this.records(name).delete(key);
      else this.records(name).set(key, value);
    }
  }

  private async write(): Promise<void> {
    if (this.file === undefined || this.dirty.size === 0) return;
    const lines: string[] = [];
    for (const [name, keys] of this.dirty) {
      const records = this.records(name);
      for (const key of keys) lines.push(stringify([name, key, records.get(key) ?? null]));
    }
    this.dirty.clear();
    await this.file.appendFile(`${lines.join('\n')}\n`);
    this.lines += lines.length;
    const records = [...this.collections.values()].reduce((sum, { size }) => sum + size, 0);
    if (this.lines > COMPACTION_MINIMUM && this.lines > records * COMPACTION_FACTOR) await this.compact();
  }

  /** Writes every record to a new journal, which then replaces the old one. */
  private async compact(): Promise<void> {
    if (this.directory === undefined) return;
    const path = join(this.directory, JOURNAL);
    const temporary = `${path}.new`;
    await rm(temporary, { force: true });
    const file = await open(temporary, 'ax', 0o600);
    const lines: string[] = [];
    for (const [name, records] of this.collections) {
      for (const [key, value] of records) lines.push(`${stringify([name, key, value])}\n`);
    }
    await file.appendFile(lines.join(''));
    await file.sync();
    await rename(temporary, path);
    await this.file?.close();
    this.file = file;
    this.lines = lines.length;
  }
}
