import { existsSync } from 'node:fs';
import type { CommandRequest, CommandStatus, SignalName } from '../../../lib/contract/sandboxd';
import { Failure } from '../failure';
import { Cgroup } from '../host/cgroup';
import type { Host } from '../host/host';
import type { ProcessFacts } from '../host/processes';
import { findProcesses, isSame, killAll, send } from '../host/processes';
import { Command } from './command';
import type { CommandPipes, Entry, Journal, KeptRequest, ShellRecord } from './journal';
import type { Outcome } from './outcome';
import { outcomeOfExit } from './outcome';
import { resizeTerminal, startProgram } from './program';
import { DEFAULT_GRACE_MS, Session } from './session';
import { commandMark } from './shell';
import { MARK } from './shell-text';
import { CommandStreams } from './streams';
import { findUser } from './users';

const WATCH_MS = 100;

/** All commands of a host: what was asked for once is started once, and has one end. */
export class Commands {
  private readonly commands = new Map<string, Command>();
  private readonly sessions = new Map<string, Session>();
  private lastNumber = 0;
  /** Commands that have ended and have output on disk, the oldest first, with its bytes. */
  private readonly kept = new Map<Command, number>();
  private keptBytes = 0;

  constructor(
    private readonly host: Host,
    private readonly journal: Journal,
  ) {}

  /** Takes up what an earlier engine has left, from its journal, and writes a shorter one. */
  recover(entries: readonly Entry[]): void {
    const shells = new Map<string, ShellRecord>();
    const running = new Map<string, { readonly pipes: CommandPipes; readonly at: number; readonly since: number }>();
    const processes = new Map<string, { readonly pid: number; readonly startTime: number }>();
    for (const entry of entries) {
      switch (entry.t) {
        case 'accept': {
          this.lastNumber = Math.max(this.lastNumber, entry.number);
          const command = new Command(this.host, entry.id, entry.number, entry.request, undefined, true);
          this.commands.set(entry.id, command);
          break;
        }
        case 'run':
          running.set(entry.id, entry);
          break;
        case 'pid':
          processes.set(entry.id, entry);
          break;
        case 'end':
          running.delete(entry.id);
          this.commands.get(entry.id)?.hasEnded(entry);
          break;
        case 'forget':
          running.delete(entry.id);
          this.commands.delete(entry.id);
          break;
        case 'shell':
          shells.set(entry.shell.name, entry.shell);
          break;
        case 'shell-gone':
          if (shells.get(entry.name)?.mark === entry.mark) shells.delete(entry.name);
      }
    }
    const opened = new Set(entries.flatMap((entry) => (entry.t === 'open' ? [entry.id] : [])));
    const used = new Set<string>();
    for (const { pipes } of running.values()) for (const path of Object.values(pipes)) used.add(path as string);
    for (const { control, status, state } of shells.values())
      for (const path of [control, status, state]) used.add(path);
    this.host.pipes.removeOthers(used);
    this.journal.rewrite(shorter(entries, this.commands, shells, running));
    for (const [id, run] of running) {
      const command = this.commands.get(id);
      if (command !== undefined) this.resume(command, run, processes.get(id), opened.has(id));
    }
    for (const command of this.commands.values())
      if (command.state === 'ended' && !this.kept.has(command)) this.keepOutput(command);
    this.joinShells(shells, running);
    for (const command of this.commands.values()) {
      if (command.state !== 'queued') continue;
      if (command.isIncomplete) {
        this.finish(command, { reason: 'lost', detail: 'sandboxd was restarted, and its variables are never kept' });
      } else {
        this.start(command);
      }
    }
  }

  /** Starts or queues a command. One whose id is known already is left as it is. */
  put(id: string, request: CommandRequest): CommandStatus {
    const known = this.commands.get(id);
    if (known !== undefined) return known.status();
    const { env, secret, ...rest } = request;
    const hidden = env !== undefined || secret !== undefined;
    const kept: KeptRequest = hidden ? { ...rest, unkept: true } : rest;
    const user = findUser(request.user, this.host.settings);
    if (user === undefined)
      throw new Failure('bad_request', `there is no user ${JSON.stringify(request.user)}: name one of the sandbox`);
    if (!this.host.root && user.uid !== this.host.settings.user.uid) {
      throw new Failure('bad_request', `user ${request.user} needs an engine that runs as root`);
    }
    const number = ++this.lastNumber;
    const command = new Command(this.host, id, number, kept, hidden ? { env, secret } : undefined);
    this.journal.add({ t: 'accept', id, number, request: kept });
    this.commands.set(id, command);
    this.start(command);
    return command.status();
  }

  get(id: string): Command {
    const command = this.commands.get(id);
    if (command === undefined) throw new Failure('event_not_found', `there is no command ${id} here`);
    return command;
  }

  list(): CommandStatus[] {
    return [...this.commands.values()].map((command) => command.status());
  }

  count(state: 'running' | 'queued'): number {
    let count = 0;
    for (const command of this.commands.values()) if (command.state === state) count++;
    return count;
  }

  shells(): string[] {
    return [...this.sessions.values()].filter(({ isAlive }) => isAlive).map(({ name }) => name);
  }

  signal(id: string, name: SignalName): void {
    const command = this.get(id);
    if (command.state !== 'running') throw notRunning(command);
    if (command.shell !== null) return this.sessions.get(command.shell)?.signal(command, name);
    if (name === 'KILL') return this.killProgram(command);
    if (['HUP', 'INT', 'QUIT', 'TERM'].includes(name)) command.ending ??= { reason: 'signal', signal: name };
    for (const { pid } of this.processesOf(command)) send(pid, `SIG${name}`);
  }

  async resize(id: string, size: { readonly cols: number; readonly rows: number }): Promise<void> {
    const command = this.get(id);
    if (command.request.terminal === undefined)
      throw new Failure('bad_request', `command ${id} has no terminal: start it with one`);
    if (command.state !== 'running') throw notRunning(command);
    await resizeTerminal(id, size);
  }

  /** Kills it if it runs, waits for its end, and forgets it. */
  async forget(id: string): Promise<void> {
    const command = this.get(id);
    if (command.state !== 'ended') {
      if (command.shell !== null) this.sessions.get(command.shell)?.kill(command);
      else this.killProgram(command);
      await command.until(() => false);
    }
    this.journal.add({ t: 'forget', id });
    this.commands.delete(id);
    this.dropOutput(command);
    command.log.remove();
  }

  async endShell(name: string): Promise<void> {
    const session = this.sessions.get(name);
    if (session === undefined) return;
    this.sessions.delete(name);
    const current = [...this.commands.values()].filter(({ shell, state }) => shell === name && state !== 'ended');
    session.end();
    await Promise.all(current.map((command) => command.until(() => false)));
  }

  /** Ends everything, for good. */
  async endAll(): Promise<void> {
    await Promise.all([...this.sessions.keys()].map((name) => this.endShell(name)));
    const running = [...this.commands.values()].filter(({ state }) => state !== 'ended');
    for (const command of running) this.killProgram(command);
    await Promise.all(running.map((command) => command.until(() => false)));
  }

  private start(command: Command): void {
    if (command.shell === null) {
      this.run(command).catch((error: Error) => this.finish(command, { reason: 'refused', detail: error.message }));
      return;
    }
    this.session(command.shell).add(command);
  }

  private session(name: string): Session {
    let session = this.sessions.get(name);
    if (session === undefined) {
      session = new Session(this.host, this.journal, name, (command, outcome) => this.finish(command, outcome));
      this.sessions.set(name, session);
    }
    return session;
  }

  private async run(command: Command): Promise<void> {
    const { request, id } = command;
    const user = findUser(request.user, this.host.settings) ?? this.host.settings.user;
    const streams = await CommandStreams.open(this.host, user, command.needs);
    const pipes = streams.paths;
    if (command.state === 'ended') return streams.release();
    if (pipes.secret !== undefined) command.giveSecret(pipes.secret, command.secret as string);
    const at = Date.now();
    command.attach(streams);
    command.limitOffer();
    this.journal.add({ t: 'run', id, at, since: 0, pipes });
    command.state = 'running';
    command.startedAt = at;
    const { pid, startTime } = await startProgram(
      this.host,
      {
        argv: request.argv ?? [],
        cwd: request.cwd,
        env: { ...command.env, [MARK]: id },
        user,
        terminal: request.terminal,
        pipes,
      },
      ({ exitCode, signal }) => this.hasExited(command, outcomeOfExit(exitCode, signal)),
    );
    command.pid = pid;
    command.startTime = startTime;
    this.journal.add({ t: 'pid', id, pid, startTime });
    command.cgroup = Cgroup.around(pid, `${this.host.tag}-${id}`);
    command.hasOpened();
    this.limit(command);
  }

  private limit(command: Command): void {
    const { timeoutMs, graceMs = DEFAULT_GRACE_MS } = command.request;
    if (timeoutMs === undefined || command.state === 'ended') return;
    command.after(Math.max(0, (command.startedAt ?? 0) + timeoutMs - Date.now()), () => {
      command.ending ??= { reason: 'timeout', signal: 'TERM' };
      const before = this.processesOf(command);
      for (const { pid } of before) send(pid, 'SIGTERM');
      for (const { pid } of before) send(pid, 'SIGCONT');
      // Also if the program itself has ended by then, and left others behind.
      setTimeout(() => this.force(command, before), graceMs).unref();
    });
  }

  private force(command: Command, before: readonly ProcessFacts[]): void {
    if (command.state !== 'ended' && command.ending !== undefined) command.ending.signal = 'KILL';
    command.cgroup?.kill();
    killAll(() => [...this.processesOf(command), ...before.filter(({ pid, startTime }) => isSame(pid, startTime))]);
  }

  private killProgram(command: Command): void {
    if (command.state === 'queued') return this.finish(command, { reason: 'signal', signal: 'KILL' });
    command.ending = { reason: command.ending?.reason ?? 'signal', signal: 'KILL' };
    this.force(command, []);
  }

  private processesOf(command: Command): ProcessFacts[] {
    const { pid } = command;
    const own = pid !== undefined && isSame(pid, command.startTime);
    return findProcesses({ marks: [commandMark(command.id)], ...(own ? { group: pid, session: pid } : {}) });
  }

  private hasExited(command: Command, outcome: Outcome): void {
    command.drain();
    command.clearTimers();
    command.cgroup?.remove();
    const { ending } = command;
    this.finish(command, ending?.reason === 'timeout' ? { reason: 'timeout', signal: ending.signal } : outcome);
  }

  private finish(command: Command, outcome: Outcome): void {
    if (command.state === 'ended') return;
    const at = Date.now();
    const { totals, droppedBytes, failure } = command.log;
    const detail = outcome.detail ?? failure;
    const result = {
      reason: outcome.reason,
      exitCode: outcome.exitCode ?? null,
      signal: outcome.signal ?? null,
      ...(detail === undefined ? {} : { detail }),
      durationMs: command.startedAt === null ? 0 : Math.max(0, at - command.startedAt),
      stdoutBytes: totals.stdout,
      stderrBytes: totals.stderr,
      droppedBytes,
    };
    command.finish(result, at, (offset) =>
      this.journal.add({ t: 'end', id: command.id, startedAt: command.startedAt, at, offset, result }),
    );
    this.keepOutput(command);
  }

  /** The oldest output goes when there is more than the budget. Its readers get a gap. */
  private keepOutput(command: Command): void {
    const { result } = command;
    if (result === null) return;
    const bytes = result.stdoutBytes + result.stderrBytes - result.droppedBytes;
    if (bytes === 0) return;
    this.kept.set(command, bytes);
    this.keptBytes += bytes;
    for (const oldest of this.kept.keys()) {
      if (this.keptBytes <= this.host.settings.outputBudget) return;
      oldest.log.remove();
      this.dropOutput(oldest);
    }
  }

  private dropOutput(command: Command): void {
    this.keptBytes -= this.kept.get(command) ?? 0;
    this.kept.delete(command);
  }

  /** A command that ran when the earlier engine ended: its pipes are read on. */
  private resume(
    command: Command,
    run: { readonly pipes: CommandPipes; readonly at: number; readonly since: number },
    started: { readonly pid: number; readonly startTime: number } | undefined,
    opened: boolean,
  ): void {
    command.state = 'running';
    command.startedAt = run.at;
    command.since = run.since;
    // A secret that was read and a stdin that was closed have no pipe any more.
    const left = Object.entries(run.pipes).filter(([, path]) => existsSync(path as string));
    const pipes = Object.fromEntries(left) as unknown as CommandPipes;
    if (pipes.stdout === undefined || pipes.stderr === undefined) {
      killAll(() => this.processesOf(command));
      return this.finish(command, { reason: 'lost', detail: 'its output was removed while sandboxd was not running' });
    }
    command.attach(CommandStreams.join(this.host, pipes));
    if (command.shell !== null) {
      if (opened) command.hasOpened();
      return;
    }
    const lost: Outcome = { reason: 'lost', detail: 'sandboxd was restarted while it ran: its exit code is not known' };
    command.hasOpened();
    if (started === undefined || !isSame(started.pid, started.startTime)) {
      killAll(() => this.processesOf(command));
      return this.hasExited(command, lost);
    }
    command.pid = started.pid;
    command.startTime = started.startTime;
    command.cgroup = Cgroup.of(started.pid, `${this.host.tag}-${command.id}`);
    this.limit(command);
    const watch = setInterval(() => {
      if (isSame(started.pid, started.startTime)) return;
      clearInterval(watch);
      this.hasExited(command, lost);
    }, WATCH_MS);
  }

  private joinShells(shells: ReadonlyMap<string, ShellRecord>, running: ReadonlyMap<string, unknown>): void {
    const current = new Map<string, Command>();
    for (const id of running.keys()) {
      const command = this.commands.get(id);
      if (command !== undefined && command.shell !== null && command.state === 'running')
        current.set(command.shell, command);
    }
    for (const [name, record] of shells) {
      const command = current.get(name);
      if (this.session(name).join(record, command)) current.delete(name);
      else this.journal.add({ t: 'shell-gone', name, mark: record.mark });
    }
    for (const command of current.values()) {
      killAll(() => this.processesOf(command));
      this.hasExited(command, { reason: 'lost', detail: 'its shell died while sandboxd was restarted' });
    }
  }
}

const notRunning = ({ id, state }: Command): Failure =>
  state === 'ended'
    ? new Failure('event_ended', `command ${id} has ended`)
    : new Failure('event_ended', `command ${id} has not started: it waits for others of its shell`);

/** The entries that still mean something. */
function shorter(
  entries: readonly Entry[],
  commands: ReadonlyMap<string, Command>,
  shells: ReadonlyMap<string, ShellRecord>,
  running: ReadonlyMap<string, unknown>,
): Entry[] {
  return entries.filter((entry) => {
    switch (entry.t) {
      case 'accept':
      case 'end':
        return commands.has(entry.id);
      case 'run':
        return running.get(entry.id) === entry;
      case 'pid':
      case 'open':
        return running.has(entry.id);
      case 'shell':
        return shells.get(entry.shell.name) === entry.shell;
      case 'keeper':
        return true;
      default:
        return false;
    }
  });
}
