import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { CommandExit } from '../../contract/channel';
import { MngrFargateError } from '../../contract/errors';
import { abortedError } from '../../util/abort';
import { shellCommand } from '../../util/shell-quote';
import {
  batchBytes,
  END_COMMAND,
  INPUT_END,
  inputBatch,
  KEEP_ALIVE,
  KILL_COMMAND,
  QUIT,
  variableLines,
} from './input-lines';
import { checkCommand, timedOutError, unfitError } from './command-rules';
import { SCRIPT_NAME } from './script-name';
import { WrapperOutput } from './output-lines';
import type { InputEncoding, OutputStream, WrapperEvent } from './output-lines';
import { signalOfStatus } from './signals';
import { WRAPPER_SCRIPT } from './wrapper-script';

export interface WrappedCommandOptions {
  readonly command: readonly string[];
  /** Default: the container's own. */
  readonly workingDirectory?: string;
  /** Sent through the terminal, so that no record of the call has them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Sent in full, then end of file. Default: empty input. */
  readonly stdin?: Readable;
  /** Written to with backpressure and never ended. */
  readonly stdout: Writable;
  readonly stderr: Writable;
  /** Milliseconds that the command may run before it and its process group are ended. Default: no limit. */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** The terminal that the script runs on, for example of an ECS Exec session. */
export interface ScriptTerminal {
  readonly input: Writable;
  readonly output: Readable;
}

/** How a command in a container ended. */
export interface WrappedExit extends CommandExit {
  /** True where processes that the command left running kept its output open. */
  readonly outputHeld: boolean;
}

/** Milliseconds between SIGTERM and SIGKILL. */
const GRACE_MS = 5000;
/** Seconds after which the container ends the command by itself, should this side be gone. */
const OWN_LIMIT_AFTER_S = 3;
/** Milliseconds of silence after the command's end until its output counts as held open by what it left running. */
const HELD_AFTER_MS = 3000;
/** Milliseconds between two lines that keep the session from being ended as idle (20 minutes). */
const KEEP_ALIVE_MS = 4 * 60_000;
/** A command made ready: the command line that starts the script in a container, and the talk with it. */
export class WrappedCommand {
  private readonly marker = randomBytes(8).toString('hex');
  private readonly tag = tagOf(randomBytes(2));

  /** Throws `usage` for a command or variables that can't be passed on. */
  constructor(private readonly options: WrappedCommandOptions) {
    checkCommand(options);
  }

  /** What `ecs:ExecuteCommand` is given. The user's own command is at its end, for whoever reads the audit log. */
  commandLine(): string {
    const { command, timeout, env = {}, workingDirectory = '' } = this.options;
    const limit = timeout === undefined ? '' : String(Math.ceil(timeout / 1000) + OWN_LIMIT_AFTER_S);
    const variables = Object.keys(env).length > 0 ? 'v' : '';
    const settings = [this.marker, this.tag, limit, variables, workingDirectory];
    return shellCommand(['sh', '-c', WRAPPER_SCRIPT, SCRIPT_NAME, ...settings, ...command]);
  }

  /**
   * Talks with the script until the command has ended and all of its output is written. Throws `timed-out`, `aborted`
   * (the caller ends the session, and with it the command), `failed` for output that can't be written or was damaged on the
   * way, and `unreachable` when the terminal ends first.
   */
  async run(terminal: ScriptTerminal): Promise<WrappedExit> {
    return new Conversation(terminal, this.options, new WrapperOutput(this.marker, this.tag)).run();
  }
}

/** Begins with a character that no encoded byte has. */
const tagOf = (bytes: Buffer): string =>
  `:${Array.from(bytes, (byte) => 'ghijklmnopqrstuv'.charAt(byte % 16)).join('')}`;

class Conversation {
  private readonly open = new Set<OutputStream>(['stdout', 'stderr']);
  private exit: CommandExit | undefined;
  private timedOut = false;
  private inputClosed = false;
  private answered: (() => void) | undefined;
  private readonly timers = new Set<NodeJS.Timeout>();
  private held: NodeJS.Timeout | undefined;
  private readonly over = new AbortController();

  constructor(
    private readonly terminal: ScriptTerminal,
    private readonly options: WrappedCommandOptions,
    private readonly output: WrapperOutput,
  ) {}

  async run(): Promise<WrappedExit> {
    const { signal } = this.options;
    // The output ends with it, and says why it broke.
    this.terminal.input.on('error', () => undefined);
    const stop = (): void => this.over.abort();
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      const outputHeld = await this.read();
      this.send(QUIT);
      if (this.timedOut) throw timedOutError(this.options.timeout ?? 0);
      if (this.exit === undefined) throw new Error('no exit status');
      return { ...this.exit, outputHeld };
    } finally {
      signal?.removeEventListener('abort', stop);
      for (const timer of this.timers) clearTimeout(timer);
      clearTimeout(this.held);
      this.over.abort();
      this.answered?.();
    }
  }

  /** Reads until the command has ended. True where its output is held open. */
  private async read(): Promise<boolean> {
    const { output } = this.terminal;
    const heldOpen = Symbol('held');
    const waiting = output[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
    const interrupted = new Promise<never>((_, reject) => {
      const { signal } = this.over;
      const fail = (): void => reject(abortedError('the command', this.options.signal));
      if (signal.aborted) fail();
      else signal.addEventListener('abort', fail, { once: true });
    });
    interrupted.catch(() => undefined);
    for (;;) {
      const next = await Promise.race([waiting.next(), interrupted, this.silence(heldOpen)]);
      clearTimeout(this.held);
      if (next === heldOpen) return true;
      const { done, value } = next as IteratorResult<Buffer>;
      if (done === true) throw new MngrFargateError('unreachable', 'the session ended before the command did');
      for (const event of this.output.push(value)) await this.handle(event);
      if (this.exit !== undefined && this.open.size === 0) return false;
    }
  }

  /** Never, until the command has ended: then after a while. */
  private silence(result: symbol): Promise<symbol> {
    return new Promise((resolve) => {
      if (this.exit !== undefined) this.held = setTimeout(resolve, HELD_AFTER_MS, result);
    });
  }

  private async handle(event: WrapperEvent): Promise<void> {
    switch (event.kind) {
      case 'unfit':
        throw unfitError('stty, or all of base64, od and hexdump');
      case 'ready':
        return this.start(event.input);
      case 'output':
        return this.write(event.stream, event.bytes);
      case 'output-end':
        this.open.delete(event.stream);
        if (!event.complete) throw new MngrFargateError('failed', `${event.stream} was damaged in transit`);
        return;
      case 'exit':
        this.exit = exitOf(event.status, event.bySignal);
        return this.stopInput();
      case 'input-taken':
        return this.answered?.();
      case 'input-closed':
        return this.stopInput();
    }
  }

  private start(encoding: InputEncoding): void {
    const { env = {}, timeout } = this.options;
    if (Object.keys(env).length > 0) this.send(variableLines(env));
    if (timeout !== undefined) {
      this.after(timeout, () => {
        if (this.exit !== undefined) return;
        this.timedOut = true;
        this.send(END_COMMAND);
        this.after(GRACE_MS, () => this.send(KILL_COMMAND));
      });
    }
    this.keepAlive();
    void this.feed(batchBytes(encoding), encoding);
  }

  private keepAlive(): void {
    this.after(KEEP_ALIVE_MS, () => {
      this.send(KEEP_ALIVE);
      this.keepAlive();
    });
  }

  private after(milliseconds: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.timers.delete(timer);
      work();
    }, milliseconds);
    this.timers.add(timer);
  }

  private send(text: string): void {
    if (this.terminal.input.writable) this.terminal.input.write(text);
  }

  private stopInput(): void {
    this.inputClosed = true;
    this.answered?.();
  }

  /** Sends the input batch by batch, each when the one before has been taken. An input that fails counts as ended. */
  private async feed(batch: number, encoding: InputEncoding): Promise<void> {
    const { stdin } = this.options;
    const { signal } = this.over;
    try {
      while (stdin !== undefined && !this.inputClosed) {
        const bytes = await nextBytes(
          stdin,
          batch,
          () => this.inputClosed || signal.aborted,
          (wake) => {
            this.answered = wake;
          },
        );
        if (bytes === undefined) break;
        await new Promise<void>((resolve) => {
          this.answered = resolve;
          if (this.inputClosed || signal.aborted) resolve();
          else this.send(inputBatch(bytes, encoding));
        });
      }
    } catch {
      // As for any program whose input breaks off.
    }
    stdin?.pause();
    if (this.exit === undefined) this.send(INPUT_END);
  }

  private async write(stream: OutputStream, bytes: Buffer): Promise<void> {
    const destination = this.options[stream];
    if (destination.errored ?? destination.destroyed) {
      const problem = destination.errored?.message ?? 'the output stream was closed';
      throw new MngrFargateError('failed', `cannot pass on the command's output: ${problem}`);
    }
    if (destination.write(bytes)) return;
    await once(destination, 'drain', { signal: this.over.signal }).catch((error: unknown) => {
      if (this.over.signal.aborted) throw abortedError('the command', this.options.signal);
      throw new MngrFargateError('failed', `cannot pass on the command's output: ${(error as Error).message}`, {
        cause: error,
      });
    });
  }
}

/** Up to this many bytes of a stream, as soon as there are some; undefined at its end, or when `stopped` says so after a wake. */
function nextBytes(
  stream: Readable,
  most: number,
  stopped: () => boolean,
  wakeWith: (wake: () => void) => void,
): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    const finish = (settle: () => void): void => {
      stream.off('readable', look).off('end', look).off('close', look).off('error', fail);
      settle();
    };
    const look = (): void => {
      if (stopped()) return finish(() => resolve(undefined));
      const chunk = stream.read() as Buffer | string | null;
      if (chunk !== null) {
        const bytes = Buffer.from(chunk as string);
        if (bytes.length > most) stream.unshift(bytes.subarray(most));
        return finish(() => resolve(bytes.subarray(0, most)));
      }
      if (stream.readableEnded || stream.destroyed) finish(() => resolve(undefined));
    };
    const fail = (error: Error): void => finish(() => reject(error));
    stream.on('readable', look).on('end', look).on('close', look).on('error', fail);
    wakeWith(look);
    look();
  });
}

function exitOf(status: number, bySignal: boolean): CommandExit {
  const signal = bySignal ? signalOfStatus(status) : undefined;
  return signal === undefined ? { exitCode: status, signal: null } : { exitCode: null, signal };
}
