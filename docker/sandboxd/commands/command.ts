import { closeSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { STDIN_OFFER_SECONDS } from '../../../lib/contract/sandboxd';
import type { CommandRequest, CommandResult, CommandState, CommandStatus } from '../../../lib/contract/sandboxd';
import type { Cgroup } from '../host/cgroup';
import type { Host } from '../host/host';
import { openBothEnds } from '../host/pipes';
import { OutputLog } from '../output/output-log';
import type { Followed } from '../output/output-stream';
import type { Entry, KeptRequest } from './journal';
import type { CommandStreams } from './streams';

export const DEFAULT_OUTPUT_LIMIT = 64 * 1024 * 1024;

export type Reason = CommandResult['reason'];

/** What ends a command before its time: the first of them counts. */
export interface Ending {
  readonly reason: 'timeout' | 'signal';
  signal: string;
}

/** One command: its output, its streams while it runs, and its one end. */
export class Command implements Followed {
  state: CommandState = 'queued';
  startedAt: number | null = null;
  endedAt: number | null = null;
  result: CommandResult | null = null;
  /** Ticks of the machine when it was started. */
  since = 0;
  pid: number | undefined;
  startTime = 0;
  /** Of a program, where the kernel has groups for us. */
  cgroup: Cgroup | undefined;
  /** Its streams are open at its end. */
  opened = false;
  ending: Ending | undefined;
  private kept: OutputLog | undefined;
  private streams: CommandStreams | undefined;
  private writer: Socket | undefined;
  /** Its stdin has ended. */
  stdinClosed = false;
  private stdinTaken = false;
  private readonly waiting = new Set<() => void>();
  private readonly timers = new Set<NodeJS.Timeout>();

  constructor(
    private readonly host: Host,
    readonly id: string,
    /** Names it to its shell. */
    readonly number: number,
    readonly request: KeptRequest,
    /** In memory alone, and gone once it has started. */
    private hidden: Pick<CommandRequest, 'env' | 'secret'> | undefined,
    /** Where the output ended, of a command of an earlier engine. */
    private readonly recovered: boolean = false,
  ) {}

  get shell(): string | null {
    return this.request.shell ?? null;
  }

  get log(): OutputLog {
    const limit = this.request.outputLimit ?? DEFAULT_OUTPUT_LIMIT;
    const { output } = this.host.places;
    this.kept ??= this.recovered
      ? OutputLog.recover(output, this.id, limit, this.knownOffset)
      : new OutputLog(output, this.id, limit);
    return this.kept;
  }

  get env(): Readonly<Record<string, string>> {
    return this.hidden?.env ?? {};
  }

  get secret(): string | undefined {
    return this.hidden?.secret;
  }

  status(): CommandStatus {
    const { id, state, shell, startedAt, endedAt, result } = this;
    return { id, state, shell, startedAt, endedAt, offset: this.endOffset(), result };
  }

  ended(): CommandStatus | undefined {
    return this.state === 'ended' ? this.status() : undefined;
  }

  onEnd(callback: () => void): () => void {
    this.waiting.add(callback);
    return () => this.waiting.delete(callback);
  }

  /** Reads its output from now on. */
  attach(streams: CommandStreams): void {
    this.streams = streams;
    streams.listen((stream, bytes) => this.log.append(stream, bytes));
    const { stdin } = streams.paths;
    if (stdin === undefined) return;
    this.writer = new Socket({ fd: openBothEnds(stdin), readable: false, writable: true });
    this.writer.on('error', () => undefined);
  }

  /** At its start alone: of a command that an earlier engine has started nobody knows whether its input was used. */
  limitOffer(): void {
    if (this.request.stdin === 'offered') this.after(STDIN_OFFER_SECONDS * 1000, () => this.endUntakenStdin());
  }

  /** Once its end of the pipes is open: the secret's is closed here, and so is stdin if it was to be. */
  hasOpened(): void {
    if (this.opened) return;
    this.opened = true;
    this.hidden = undefined;
    const { secret, text } = this.streams?.paths ?? {};
    for (const path of [secret, text]) if (path !== undefined) this.host.pipes.release(path);
    if (this.stdinClosed) this.endStdin();
    for (const callback of this.waiting) callback();
  }

  giveSecret(path: string, secret: string): void {
    const descriptor = openBothEnds(path);
    writeSync(descriptor, secret);
    // The keeper holds what was written.
    closeSync(descriptor);
  }

  /** Writes as fast as the command reads. Resolves early if the command ends. */
  async writeStdin(data: Readable, close: boolean): Promise<void> {
    this.stdinTaken = true;
    await this.until(() => this.state !== 'queued' && this.opened);
    for await (const bytes of data) {
      const { writer } = this;
      if (writer === undefined || writer.destroyed || this.stdinClosed) break;
      if (!writer.write(bytes as Buffer)) await settled(writer);
    }
    data.resume();
    if (!close) return;
    const { writer } = this;
    if (writer !== undefined && !writer.destroyed && writer.writableLength > 0) {
      await new Promise<void>((resolve) => {
        writer.write(Buffer.alloc(0), () => resolve());
        writer.once('close', () => resolve());
      });
    }
    this.stdinClosed = true;
    this.endStdin();
  }

  /** It came with variables or a secret, which an engine that was killed has taken with it. */
  get isIncomplete(): boolean {
    return this.request.unkept === true && this.hidden === undefined;
  }

  /** Pipes of it besides those for its output. */
  get needs(): { readonly stdin: boolean; readonly secret: boolean } {
    return { stdin: this.takesStdin, secret: this.secret !== undefined };
  }

  get takesStdin(): boolean {
    return (this.request.stdin ?? 'none') !== 'none' || this.request.terminal !== undefined;
  }

  /** Only the first call counts. The end is written down before anybody hears of it. */
  finish(result: CommandResult, at: number, writeDown: (offset: number) => void): void {
    if (this.state === 'ended') return;
    writeDown(this.log.offset);
    this.result = result;
    this.endedAt = at;
    this.state = 'ended';
    this.hidden = undefined;
    this.closePipes();
    this.log.close();
    for (const callback of [...this.waiting]) callback();
    this.waiting.clear();
  }

  /** An end that an earlier engine wrote down. */
  hasEnded(end: Extract<Entry, { readonly t: 'end' }>): void {
    this.state = 'ended';
    this.result = end.result;
    this.startedAt = end.startedAt;
    this.endedAt = end.at;
    this.knownOffset = end.offset;
  }

  /** All that is in its pipes at this moment. */
  drain(): void {
    this.streams?.drain();
  }

  after(milliseconds: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, milliseconds);
    this.timers.add(timer);
  }

  clearTimers(): void {
    for (const timer of this.timers) clearTimeout(timer);
    this.timers.clear();
  }

  async until(condition: () => boolean): Promise<void> {
    while (!condition() && this.state !== 'ended') {
      await new Promise<void>((resolve) => {
        const undo = this.onEnd(() => {
          undo();
          resolve();
        });
      });
    }
  }

  closePipes(): void {
    this.writer?.destroy();
    this.writer = undefined;
    this.streams?.release();
    this.streams = undefined;
  }

  private knownOffset: number | undefined;

  /** Without reading the log of a command of an earlier engine. */
  private endOffset(): number {
    return this.kept?.offset ?? this.knownOffset ?? (this.recovered ? this.log.offset : 0);
  }

  private endUntakenStdin(): void {
    if (this.stdinTaken) return;
    this.stdinClosed = true;
    this.endStdin();
  }

  private endStdin(): void {
    const stdin = this.streams?.paths.stdin;
    if (!this.opened || stdin === undefined) return;
    this.writer?.destroy();
    this.writer = undefined;
    this.host.pipes.release(stdin);
  }
}

const settled = (writer: Socket): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      writer.off('drain', done).off('close', done);
      resolve();
    };
    writer.on('drain', done).on('close', done);
    if (writer.destroyed || !writer.writableNeedDrain) done();
  });
