import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import type { ProcessIdentity } from './machine-processes';
import { readIdentity } from './machine-processes';
import type { TaskAddress } from './runtime';

/** What a later endpoint process has to know of a task. */
export interface TaskRecord {
  readonly taskId: string;
  readonly address: TaskAddress;
  /** True when another container of the same task listens at the address, and ends with it. */
  readonly sharesAddress?: boolean;
  /** True when the task has namespaces of its own, so that nothing can outlive its first process. */
  readonly namespaced: boolean;
  /** What its processes get; for processes that are started in it later. */
  readonly environment: Readonly<Record<string, string>>;
  /** As the task sees it. */
  readonly workingDirectory: string;
}

/** The folder of one task that runs as processes, mode 0700. process-scripts.ts says who writes which file. */
export class TaskFiles {
  readonly folder: string;

  constructor(parent: string, taskId: string) {
    if (!/^[\w-]+$/.test(taskId)) {
      throw new MngrFargateError('usage', `task id "${taskId}" has characters other than letters, digits, _ and -`);
    }
    this.folder = join(parent, taskId);
  }

  /** Ids of the tasks that have a folder below `parent`. */
  static ids(parent: string): string[] {
    try {
      return readdirSync(parent);
    } catch {
      return [];
    }
  }

  /** Throws `already-exists` when the task was started before. */
  create(record: TaskRecord): void {
    try {
      mkdirSync(this.folder, { mode: 0o700 });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      throw new MngrFargateError('already-exists', `task ${record.taskId} has already been started`);
    }
    writeFileSync(join(this.folder, 'task.json'), JSON.stringify(record), { mode: 0o600 });
  }

  record(): TaskRecord | undefined {
    const text = this.read('task.json');
    return text === undefined ? undefined : (JSON.parse(text) as TaskRecord);
  }

  supervisor(): ProcessIdentity | undefined {
    return readIdentity(join(this.folder, 'supervisor'));
  }

  main(): ProcessIdentity | undefined {
    return readIdentity(join(this.folder, 'main'));
  }

  exitCode(): number | undefined {
    const text = this.read('exit');
    return text === undefined ? undefined : Number(text);
  }

  /** Whole lines of the log from `offset` on. */
  async log(offset: number): Promise<{ lines: { at: Date; message: string }[]; offset: number }> {
    const file = await open(join(this.folder, 'log')).catch(() => undefined);
    if (file === undefined) return { lines: [], offset };
    try {
      const { size } = await file.stat();
      const buffer = Buffer.alloc(Math.max(0, size - offset));
      const { bytesRead } = await file.read(buffer, 0, buffer.length, offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf('\n') + 1;
      const lines = buffer.toString('utf8', 0, end).split('\n').slice(0, -1).map(logLine);
      return { lines, offset: offset + end };
    } finally {
      await file.close();
    }
  }

  private read(name: string): string | undefined {
    try {
      return readFileSync(join(this.folder, name), 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }
}

/** `<microseconds since 1970> <message>` */
function logLine(line: string): { at: Date; message: string } {
  const space = line.indexOf(' ');
  return { at: new Date(Number(line.slice(0, space)) / 1000), message: line.slice(space + 1) };
}
