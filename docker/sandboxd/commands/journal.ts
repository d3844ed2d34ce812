import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs';
import type { CommandRequest, CommandResult } from '../../../lib/contract/sandboxd';

/** A request as it is kept: its `env` and `secret` never are, only that there were some. */
export type KeptRequest = Omit<CommandRequest, 'env' | 'secret'> & { readonly unkept?: boolean };

export interface CommandPipes {
  readonly stdout: string;
  readonly stderr: string;
  readonly stdin?: string;
  /** For the secret. */
  readonly secret?: string;
  /** For a command line that is too long for one write. */
  readonly text?: string;
}

export interface ShellRecord {
  readonly name: string;
  readonly pid: number;
  readonly startTime: number;
  readonly bash: boolean;
  readonly control: string;
  readonly status: string;
  /** File for the shell's state while it is replaced in place. */
  readonly state: string;
  /** Value of its processes' mark. */
  readonly mark: string;
}

/**
 * What is written before it is done, so that a command is never started twice and never without an end:
 * `accept` before it may run, `run` before its shell is told or its program is started, `pid` or `open` after that, and
 * `end` before anybody is told of the end.
 */
export type Entry =
  | { readonly t: 'accept'; readonly id: string; readonly number: number; readonly request: KeptRequest }
  | {
      readonly t: 'run';
      readonly id: string;
      readonly at: number;
      readonly since: number;
      readonly pipes: CommandPipes;
    }
  | { readonly t: 'pid'; readonly id: string; readonly pid: number; readonly startTime: number }
  | { readonly t: 'open'; readonly id: string }
  | {
      readonly t: 'end';
      readonly id: string;
      readonly startedAt: number | null;
      readonly at: number;
      readonly offset: number;
      readonly result: CommandResult;
    }
  | { readonly t: 'forget'; readonly id: string }
  | { readonly t: 'shell'; readonly shell: ShellRecord }
  | { readonly t: 'shell-gone'; readonly name: string; readonly mark: string }
  | { readonly t: 'keeper'; readonly pid: number; readonly startTime: number };

/**
 * Entries as JSON lines, appended with one write(2) each: what a write has returned for survives the engine, however that
 * ends. It isn't synced: the machine of a sandbox doesn't come back.
 */
export class Journal {
  private descriptor: number;

  private constructor(private readonly path: string) {
    this.descriptor = openSync(path, 'a', 0o600);
  }

  /** Reads what there is and goes on after it. A line that was cut off counts as not written. */
  static open(path: string): { readonly journal: Journal; readonly entries: Entry[] } {
    let text = '';
    try {
      text = readFileSync(path, 'utf8');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
    const entries: Entry[] = [];
    for (const line of text.split('\n')) {
      if (line === '') continue;
      try {
        entries.push(JSON.parse(line) as Entry);
      } catch {
        // Only the last line can be: it was being written when the engine was killed.
      }
    }
    const journal = new Journal(path);
    return { journal, entries };
  }

  add(...entries: readonly Entry[]): void {
    const text = Buffer.from(entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''));
    for (let done = 0; done < text.length;) done += writeSync(this.descriptor, text, done);
  }

  /** Replaces the journal by entries that say the same in fewer words. */
  rewrite(entries: readonly Entry[]): void {
    const next = `${this.path}.next`;
    writeFileSync(next, entries.map((entry) => `${JSON.stringify(entry)}\n`).join(''), { mode: 0o600 });
    const file = openSync(next, 'r');
    fsyncSync(file);
    closeSync(file);
    renameSync(next, this.path);
    closeSync(this.descriptor);
    this.descriptor = openSync(this.path, 'a', 0o600);
  }
}
