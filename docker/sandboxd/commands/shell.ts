import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chownSync, closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Cgroup } from '../host/cgroup';
import type { Host } from '../host/host';
import { PipeReader } from '../host/pipe-reader';
import { openBothEnds, openForChild } from '../host/pipes';
import type { ProcessFacts } from '../host/processes';
import { findProcesses, isSame, killAll, processFacts, send } from '../host/processes';
import type { ShellRecord } from './journal';
import { ABORT_SIGNAL, bashRestore, bashStart, MARK } from './shell-text';

/** How often an engine looks whether a shell that another engine started still runs: it isn't told by the kernel. */
const WATCH_MS = 100;
/** A line of the status pipe is shorter. User code can write to it, in its own name. */
const LONGEST_LINE = 200;

export type ShellWord =
  | { readonly word: 'started' | 'refused'; readonly number: number }
  | { readonly word: 'ended'; readonly number: number; readonly status: number }
  /** It has left the command and has its state back. */
  | { readonly word: 'aborted' }
  /** The abort came too late: no command was running. */
  | { readonly word: 'nothing-to-abort' }
  | { readonly word: 'pong'; readonly number: number }
  | {
      readonly word: 'died';
      readonly exitCode: number | null;
      readonly signal: string | null;
      readonly known: boolean;
    };

/** One shell session: a bash (or sh) that reads commands from a pipe and says on another what became of them. */
export class Shell {
  private readonly writer: number;
  private readonly reader: PipeReader;
  private line = '';
  private gone = false;
  private watch: NodeJS.Timeout | undefined;
  private cgroup: Cgroup | undefined;
  /** Exit status of the last command. */
  previous = 0;

  private constructor(
    private readonly host: Host,
    readonly record: ShellRecord,
    private readonly hear: (word: ShellWord) => void,
  ) {
    this.writer = openBothEnds(record.control);
    this.reader = new PipeReader(record.status, (bytes) => this.read(bytes));
  }

  static async start(host: Host, name: string, hear: (word: ShellWord) => void): Promise<Shell> {
    const { uid, gid, home } = host.settings.user;
    const mark = randomBytes(9).toString('hex');
    const [control, status] = [await host.pipes.take(uid, gid), await host.pipes.take(uid, gid)];
    const state = join(host.places.pipes, `state-${mark}`);
    writeFileSync(state, '', { mode: 0o600, flag: 'wx' });
    if (host.root) chownSync(state, uid, gid);
    const input = openForChild(control, 'r');
    const nowhere = openSync('/dev/null', 'w');
    const program = host.bash ?? 'sh';
    const child = spawn(program, host.bash === undefined ? ['-s'] : ['--norc', '--noprofile', '-s'], {
      detached: true,
      stdio: [input, nowhere, nowhere],
      cwd: host.startFolder(home),
      env: { ...host.environment(), SANDBOX_SHELL: mark },
      ...host.identity,
    });
    const started = new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    closeSync(input);
    closeSync(nowhere);
    try {
      await started;
    } catch (error) {
      for (const path of [control, status]) host.pipes.release(path);
      rmSync(state, { force: true });
      throw new Error(`cannot start the shell ${program}: ${(error as Error).message}`, { cause: error });
    }
    const pid = child.pid as number;
    const startTime = processFacts(pid)?.startTime ?? 0;
    const bash = host.bash !== undefined;
    const shell = new Shell(host, { name, pid, startTime, bash, control, status, state, mark }, hear);
    // It hasn't been told anything yet, so everything that it will start is in the group.
    shell.cgroup = Cgroup.around(pid, mark);
    child.once('exit', (exitCode, signal) => shell.died(exitCode, signal?.slice(3) ?? null, true));
    child.unref();
    shell.tell(bash ? bashStart(shell.record) : '__mngr_return() { return "$1"; }\n');
    return shell;
  }

  /** A shell that an earlier engine started. undefined if it has ended. */
  static join(host: Host, record: ShellRecord, hear: (word: ShellWord) => void): Shell | undefined {
    if (!isSame(record.pid, record.startTime)) return undefined;
    for (const path of [record.control, record.status]) host.keeper.hold(path);
    const shell = new Shell(host, record, hear);
    shell.cgroup = Cgroup.of(record.pid, record.mark);
    shell.watch = setInterval(() => {
      if (!isSame(record.pid, record.startTime)) shell.died(null, null, false);
    }, WATCH_MS);
    return shell;
  }

  get isAlive(): boolean {
    return !this.gone;
  }

  /** At most 4,096 bytes, so that it is written as a whole or not at all. */
  tell(text: string): void {
    if (!this.gone) writeSync(this.writer, text);
  }

  /** The answer comes after everything that the shell was told before. */
  ping(number: number): void {
    this.tell(`${this.record.bash ? 'builtin' : 'command'} echo "p ${number}" >'${this.record.status}'\n`);
  }

  /** Makes a bash leave its command, with its state. */
  abort(): void {
    send(this.record.pid, ABORT_SIGNAL);
  }

  /** Gets the answer to an abort that may have come after the command's end. */
  nudge(): void {
    this.tell(':\n');
  }

  restore(): void {
    this.tell(bashStart(this.record));
    this.tell(bashRestore(this.record));
  }

  /** Everything that has ever been started in this shell and still can be found. */
  processes(): ProcessFacts[] {
    const { pid, mark } = this.record;
    return findProcesses({ marks: [`SANDBOX_SHELL=${mark}`], session: pid, group: pid, under: { pid, since: 0 } });
  }

  kill(): void {
    if (isSame(this.record.pid, this.record.startTime)) send(this.record.pid, 'SIGKILL');
  }

  /** Ends it and all its processes, and doesn't return before they are killed. */
  end(): void {
    const { pid } = this.record;
    const find = (): ProcessFacts[] => {
      const own = isSame(pid, this.record.startTime) ? processFacts(pid) : undefined;
      return own === undefined ? this.processes() : [own, ...this.processes()];
    };
    this.cgroup?.kill();
    killAll(find);
  }

  private read(bytes: Buffer): void {
    this.line += bytes.toString('latin1');
    for (let end = this.line.indexOf('\n'); end >= 0; end = this.line.indexOf('\n')) {
      const line = this.line.slice(0, end);
      this.line = this.line.slice(end + 1);
      const word = parse(line);
      if (word !== undefined) this.hear(word);
    }
    if (this.line.length > LONGEST_LINE) this.line = '';
  }

  private died(exitCode: number | null, signal: string | null, known: boolean): void {
    if (this.gone) return;
    // What it has said before may still be in the pipe.
    this.reader.drain();
    this.gone = true;
    clearInterval(this.watch);
    this.reader.close();
    closeSync(this.writer);
    for (const path of [this.record.control, this.record.status]) this.host.pipes.release(path);
    rmSync(this.record.state, { force: true });
    this.cgroup?.remove();
    this.hear({ word: 'died', exitCode, signal, known });
  }
}

function parse(line: string): ShellWord | undefined {
  const [, letter, first, second] = /^([serapn])(?: (\d{1,15}))?(?: (\d{1,3}))?$/.exec(line) ?? [];
  const number = Number(first);
  switch (letter) {
    case 's':
      return first === undefined ? undefined : { word: 'started', number };
    case 'r':
      return first === undefined ? undefined : { word: 'refused', number };
    case 'e':
      return second === undefined ? undefined : { word: 'ended', number, status: Number(second) };
    case 'a':
      return { word: 'aborted' };
    case 'n':
      return { word: 'nothing-to-abort' };
    case 'p':
      return first === undefined ? undefined : { word: 'pong', number };
    default:
      return undefined;
  }
}

export const commandMark = (mark: string): string => `${MARK}=${mark}`;
