import { chownSync, rmSync, writeFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { SignalName } from '../../../lib/contract/sandboxd';
import type { Host } from '../host/host';
import { openBothEnds } from '../host/pipes';
import type { ProcessFacts } from '../host/processes';
import { catches, findProcesses, isSame, killAll, nowInTicks, send } from '../host/processes';
import type { Command } from './command';
import type { CommandPipes, Journal, ShellRecord } from './journal';
import type { Outcome } from './outcome';
import { outcomeOfExit } from './outcome';
import type { ShellWord } from './shell';
import { commandMark, Shell } from './shell';
import type { ShellText } from './shell-text';
import { ABORT_SIGNAL, MARK, runFile, SHORT, shellCommandText } from './shell-text';
import { ENDING, signalNumber } from './signals';
import { CommandStreams } from './streams';

export const DEFAULT_GRACE_MS = 2_000;
/** How long a shell whose last child is dead may take to leave its command, before it is replaced. */
const LEAVE_MS = 500;

/** A shell session: its shell, and its commands in order. */
export class Session {
  private shell: Shell | undefined;
  private readonly queue: Command[] = [];
  private current: Command | undefined;
  private starting = false;
  /** Aborts that the shell hasn't answered yet: nothing is told to it before. */
  private aborts = 0;
  private refused = false;
  private pings = 0;
  private ended = false;

  constructor(
    private readonly host: Host,
    private readonly journal: Journal,
    readonly name: string,
    private readonly finish: (command: Command, outcome: Outcome) => void,
  ) {}

  get isIdle(): boolean {
    return this.current === undefined && this.queue.length === 0;
  }

  get isAlive(): boolean {
    return this.shell?.isAlive === true;
  }

  get record(): ShellRecord | undefined {
    return this.shell?.record;
  }

  add(command: Command): void {
    this.queue.push(command);
    this.next();
  }

  /** A shell of an earlier engine, and what it was doing. False if it has ended. */
  join(record: ShellRecord, current: Command | undefined): boolean {
    this.shell = Shell.join(this.host, record, (word) => this.hear(word));
    if (this.shell === undefined) return false;
    this.current = current;
    if (current !== undefined) {
      if (current.request.timeoutMs !== undefined) this.limit(current, current.request.timeoutMs);
    }
    // Everything that it was told before is answered before this.
    this.shell.ping(++this.pings);
    this.aborts++;
    return true;
  }

  /** Sends a signal to the processes of a command. */
  signal(command: Command, name: SignalName): void {
    if (command !== this.current) return;
    if (ENDING.has(name)) return this.interrupt(command, 'signal', name);
    const { pid } = (this.shell as Shell).record;
    const toShell = name === 'STOP' || name === 'TSTP' || name === 'CONT' || catches(pid, signalNumber(name));
    const processes = this.processesOf(command);
    for (const facts of processes) send(facts.pid, `SIG${name}`);
    if (toShell) send(pid, name === 'TSTP' ? 'SIGSTOP' : `SIG${name}`);
  }

  /** Ends a command that runs or waits, at once. */
  kill(command: Command): void {
    const index = this.queue.indexOf(command);
    if (index >= 0) {
      this.queue.splice(index, 1);
      this.finish(command, { reason: 'signal', signal: 'KILL' });
    } else {
      this.interrupt(command, 'signal', 'KILL');
    }
  }

  /** Ends the shell, every process of it and its commands. */
  end(): void {
    this.ended = true;
    const waiting = this.queue.splice(0);
    const { current, shell } = this;
    if (current !== undefined) current.ending ??= { reason: 'signal', signal: 'KILL' };
    shell?.end();
    if (current !== undefined) killAll(() => findProcesses({ marks: [commandMark(current.id)] }));
    for (const command of waiting) {
      this.finish(command, { reason: 'refused', detail: 'its shell was ended before it could start' });
    }
    if (current?.state === 'queued') this.done(current, { reason: 'signal', signal: 'KILL' });
  }

  private next(): void {
    if (this.current !== undefined || this.starting || this.aborts > 0 || this.ended) return;
    const command = this.queue.shift();
    if (command === undefined) return;
    this.starting = true;
    this.current = command;
    this.run(command)
      .catch((error: Error) => this.done(command, { reason: 'refused', detail: error.message }))
      .finally(() => {
        this.starting = false;
        this.next();
      });
  }

  private async run(command: Command): Promise<void> {
    const { host } = this;
    const { uid, gid } = host.settings.user;
    let streams = await CommandStreams.open(host, host.settings.user, command.needs);
    try {
      const shell = await this.ready();
      let text = this.textOf(command, streams.paths, shell);
      if (shell.record.bash && Buffer.byteLength(text.told) > SHORT) {
        streams = streams.withText(await host.pipes.take(uid, gid));
        text = this.textOf(command, streams.paths, shell);
      }
      if (!shell.isAlive) throw new Error('its shell died before it could start');
      if (this.ended || command.state === 'ended') throw new Error('its shell was ended before it could start');
      this.begin(command, streams);
      this.tell(shell, text, streams.paths.text);
    } catch (error) {
      if (command.state === 'queued') streams.release();
      throw error;
    }
    if (command.request.timeoutMs !== undefined) this.limit(command, command.request.timeoutMs);
  }

  private textOf(command: Command, pipes: CommandPipes, shell: Shell): ShellText {
    const { record, previous } = shell;
    return shellCommandText(
      {
        number: command.number,
        text: command.request.command ?? '',
        env: { [MARK]: command.id, ...command.env },
        cwd: command.request.cwd,
        previous,
        stdin: pipes.stdin ?? '/dev/null',
        stdout: pipes.stdout,
        stderr: pipes.stderr,
        secret: pipes.secret,
        pipe: pipes.text,
      },
      record,
      record.bash,
    );
  }

  /** Written down before the shell is told. */
  private begin(command: Command, streams: CommandStreams): void {
    const pipes = streams.paths;
    if (pipes.secret !== undefined) command.giveSecret(pipes.secret, command.secret as string);
    const at = Date.now();
    command.since = nowInTicks();
    command.attach(streams);
    command.limitOffer();
    this.journal.add({ t: 'run', id: command.id, at, since: command.since, pipes });
    command.state = 'running';
    command.startedAt = at;
    this.refused = false;
  }

  private async ready(): Promise<Shell> {
    if (this.shell?.isAlive === true) return this.shell;
    this.shell = await Shell.start(this.host, this.name, (word) => this.hear(word));
    this.journal.add({ t: 'shell', shell: this.shell.record });
    return this.shell;
  }

  private tell(shell: Shell, { told, piped }: ShellText, pipe: string | undefined): void {
    if (shell.record.bash || Buffer.byteLength(told) <= SHORT) {
      shell.tell(told);
    } else {
      const path = join(this.host.places.pipes, `text-${shell.record.mark}`);
      rmSync(path, { force: true });
      writeFileSync(path, told, { mode: 0o600, flag: 'wx' });
      if (this.host.root) chownSync(path, this.host.settings.user.uid, this.host.settings.user.gid);
      shell.tell(runFile(path));
    }
    if (pipe === undefined) return;
    // Through a pipe and not a file: it has the command's variables.
    const writer = new Socket({ fd: openBothEnds(pipe), readable: false, writable: true });
    writer.on('error', () => undefined);
    writer.write(piped, () => writer.destroy());
  }

  private limit(command: Command, timeoutMs: number): void {
    const left = Math.max(0, (command.startedAt ?? 0) + timeoutMs - Date.now());
    command.after(left, () => this.interrupt(command, 'timeout', 'TERM'));
  }

  /** Sends the signal to all that the command has started, makes the shell leave it, and makes sure of both. */
  private interrupt(command: Command, reason: 'timeout' | 'signal', signal: SignalName): void {
    if (command !== this.current || this.shell === undefined) return;
    const { shell } = this;
    const { pid } = shell.record;
    if (command.ending === undefined || signal === 'KILL')
      command.ending = { reason: command.ending?.reason ?? reason, signal };
    const before = this.processesOf(command);
    // A trap of the command's own runs before the shell leaves.
    if (signal !== 'KILL' && signal !== 'INT' && catches(pid, signalNumber(signal))) send(pid, `SIG${signal}`);
    const leaves = shell.record.bash && catches(pid, ABORT_SIGNAL);
    if (leaves && this.aborts === 0) {
      this.aborts++;
      shell.abort();
    }
    for (const facts of before) send(facts.pid, `SIG${signal}`);
    send(pid, 'SIGCONT');
    for (const facts of before) send(facts.pid, 'SIGCONT');
    if (signal === 'KILL') return this.force(command, before);
    if (leaves) this.alsoTo(new Set(before.map((facts) => facts.pid)), command, signal);
    if (reason === 'timeout') {
      const grace = setTimeout(() => this.force(command, before), command.request.graceMs ?? DEFAULT_GRACE_MS);
      grace.unref();
    } else if (!leaves && before.length === 0) {
      shell.kill();
    }
  }

  /** A shell in the middle of starting a program leaves after it: that program must get the signal too. */
  private alsoTo(done: Set<number>, command: Command, signal: SignalName, waitMs = 10): void {
    command.after(waitMs, () => {
      for (const { pid } of this.processesOf(command)) {
        if (done.has(pid)) continue;
        done.add(pid);
        send(pid, `SIG${signal}`);
      }
      this.alsoTo(done, command, signal, Math.min(waitMs * 2, 200));
    });
  }

  /** Kills what is left of a command. If its shell doesn't leave it then, the shell too. */
  private force(command: Command, before: readonly ProcessFacts[]): void {
    const runs = command.state !== 'ended';
    if (runs && command.ending !== undefined) command.ending.signal = 'KILL';
    const left = (): ProcessFacts[] => [
      ...(runs
        ? this.processesOf(command)
        : findProcesses({ marks: [commandMark(command.id)], but: this.shell?.record.pid })),
      ...before.filter(({ pid, startTime }) => isSame(pid, startTime)),
    ];
    const { shell } = this;
    // Before the kill: a shell that leaves at once has no trap for a moment.
    const leaves = shell?.record.bash === true && catches(shell.record.pid, ABORT_SIGNAL);
    killAll(left);
    if (!runs || shell === undefined) return;
    if (!leaves) return shell.kill();
    command.after(LEAVE_MS, () => {
      killAll(left);
      shell.kill();
    });
  }

  private processesOf(command: Command): ProcessFacts[] {
    const pid = this.shell?.record.pid;
    return findProcesses({
      marks: [commandMark(command.id)],
      ...(pid === undefined ? {} : { under: { pid, since: command.since } }),
    });
  }

  private hear(word: ShellWord): void {
    const command = this.current;
    const isCurrent = 'number' in word && command?.number === word.number;
    switch (word.word) {
      case 'started':
        if (isCurrent) {
          if (!command.opened) this.journal.add({ t: 'open', id: command.id });
          command.hasOpened();
        }
        return;
      case 'refused':
        if (isCurrent) this.refused = true;
        return;
      case 'ended':
        if (isCurrent) this.hasEnded(command, word.status);
        return;
      case 'aborted':
        this.aborts = 0;
        this.shell?.restore();
        if (this.shell !== undefined) this.shell.previous = 128 + signalNumber(command?.ending?.signal ?? 'TERM');
        if (command !== undefined) this.done(command, endingOutcome(command));
        else this.next();
        return;
      case 'nothing-to-abort':
        this.aborts = 0;
        this.next();
        return;
      case 'pong':
        this.hasAnswered(word.number);
        return;
      case 'died':
        this.hasDied(word);
    }
  }

  private hasEnded(command: Command, status: number): void {
    if (this.shell !== undefined) this.shell.previous = status;
    // The answer to an abort that came too late must be there before the shell gets another command.
    if (this.aborts > 0 && command.ending !== undefined) this.shell?.nudge();
    if (this.refused) {
      return this.done(command, {
        reason: 'refused',
        detail: `cannot enter the folder ${command.request.cwd}: name one that exists`,
      });
    }
    const { ending } = command;
    if (ending?.reason === 'timeout') return this.done(command, endingOutcome(command));
    if (ending !== undefined && status === 128 + signalNumber(ending.signal))
      return this.done(command, endingOutcome(command));
    this.done(command, { reason: 'exit', exitCode: status });
  }

  /** A shell of an earlier engine has answered all that it was told. */
  private hasAnswered(number: number): void {
    if (number !== this.pings) return;
    this.aborts = 0;
    const { current } = this;
    if (current === undefined) return this.next();
    // It was written down as running, but the shell never got it.
    if (!current.opened) this.again(current, 'sandboxd was restarted before it could start');
    // The shell has gone on: it has said that it ended to the earlier engine, which was killed before it wrote that down.
    else this.done(current, { reason: 'lost', detail: 'sandboxd was killed at its end: its exit code is not known' });
    this.next();
  }

  private hasDied({ exitCode, signal, known }: Extract<ShellWord, { readonly word: 'died' }>): void {
    const { current, shell } = this;
    this.aborts = 0;
    this.shell = undefined;
    if (shell !== undefined) this.journal.add({ t: 'shell-gone', name: this.name, mark: shell.record.mark });
    if (current?.state === 'running') {
      if (current.ending !== undefined) this.done(current, endingOutcome(current));
      else if (!current.opened && !this.ended) this.again(current, 'its shell died before it could start');
      else if (known) this.done(current, outcomeOfExit(exitCode, signal));
      else
        this.done(current, {
          reason: 'lost',
          detail: 'its shell died after sandboxd was restarted: the exit code is not known',
        });
    }
    this.next();
  }

  /** Starts a command that has never started. What it was to get besides its text may be gone. */
  private again(command: Command, why: string): void {
    command.closePipes();
    this.current = undefined;
    if (command.isIncomplete) return this.finish(command, { reason: 'lost', detail: why });
    command.state = 'queued';
    command.startedAt = null;
    command.clearTimers();
    this.queue.unshift(command);
  }

  private done(command: Command, outcome: Outcome): void {
    if (this.current === command) this.current = undefined;
    command.drain();
    command.clearTimers();
    this.finish(command, outcome);
    this.next();
  }
}

const endingOutcome = (command: Command): Outcome => ({
  reason: command.ending?.reason ?? 'signal',
  signal: command.ending?.signal ?? 'KILL',
});
