import { setTimeout as sleep } from 'node:timers/promises';
import type { Readable } from 'node:stream';
import { CommandNotStartedError } from '../runtimes/runtime';
import type { ExecRequest, TaskProcess } from '../runtimes/runtime';
import { CHUNK } from './data-channel';
import { PAYLOAD } from './message';
import type { PluginSession, SessionPlugin } from './plugin';
import { SessionFailure } from './plugin';
import { SplitError, splitCommand } from './shlex';

/** Milliseconds that the agent lets pass before it first reads the terminal, and after each read. */
const BEFORE_FIRST_READ = 1000;
const BETWEEN_READS = 1;
/** Milliseconds that it lets pass before it reports that a command could not be started. */
const BEFORE_START_ERROR = 2000;
const BANNER = '\n----------ERROR-------\n';

export interface ShellOptions {
  /** One line, as `ecs:ExecuteCommand` was given it. */
  readonly command: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Starts a process in the container. */
  readonly exec: (request: ExecRequest) => Promise<TaskProcess>;
}

/**
 * A command in a container, on a terminal, as the agent runs it in container mode: split without a shell, started
 * directly, its output read as UTF-8 text.
 */
export class ShellPlugin implements SessionPlugin {
  readonly requiresHandshake = false;
  readonly sessionType = 'InteractiveCommands';
  readonly properties = null;
  /** The terminal's size, if it is known; a terminal whose size nobody has set has none. */
  private size = { rows: 0, columns: 0 };
  /** Operations on the terminal, one after the other. */
  private changes: Promise<void> = Promise.resolve();

  constructor(private readonly options: ShellOptions) {}

  async run(session: PluginSession): Promise<void> {
    const { channel, signal } = session;
    const process = await this.start(session);
    process.stdin.on('drain', () => channel.inputReady());
    channel.onInput = (payloadType, payload) => this.take(process, payloadType, payload);
    const cancel = (): void => void this.cancel(process);
    signal.addEventListener('abort', cancel, { once: true });
    if (signal.aborted) cancel();
    try {
      await session.pause(BEFORE_FIRST_READ);
      await this.pump(process.stdout, session);
    } finally {
      signal.removeEventListener('abort', cancel);
    }
    await session.processEnded(await process.exitCode);
  }

  private async start(session: PluginSession): Promise<TaskProcess> {
    const { exec, environment, command } = this.options;
    if (command.trim() === '') {
      throw new SessionFailure('Commands cannot be empty for session type InteractiveCommands');
    }
    try {
      const argv = splitCommand(command);
      return await exec({ argv, environment: { TERM: 'xterm-256color', ...environment }, terminal: this.size });
    } catch (error) {
      const reason = startProblem(error);
      if (reason === undefined) throw error;
      await session.pause(BEFORE_START_ERROR);
      throw new SessionFailure(`${BANNER}Unable to start command: ${reason}\n`);
    }
  }

  private take({ stdin, resize }: TaskProcess, payloadType: number, payload: Buffer): boolean {
    if (payloadType === PAYLOAD.output) {
      if (stdin.writableNeedDrain) return false;
      this.changes = this.changes.then(() => void stdin.write(payload));
    }
    const size = payloadType === PAYLOAD.size ? sizeOf(payload) : undefined;
    if (size !== undefined && (size.rows !== this.size.rows || size.columns !== this.size.columns)) {
      this.size = size;
      this.changes = this.changes.then(() => resize(size)).catch(() => undefined);
    }
    return true;
  }

  /** Reads the terminal to its end, a kilobyte at a time, and never splits a character. */
  private async pump(output: Readable, session: PluginSession): Promise<void> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const send = async (text: string): Promise<void> => {
      if (text === '') return;
      const bytes = Buffer.from(text);
      session.record(bytes);
      await session.send(PAYLOAD.output, bytes);
    };
    try {
      for await (const chunk of output as AsyncIterable<Buffer>) {
        for (let start = 0; start < chunk.length; start += CHUNK) {
          await send(decoder.decode(chunk.subarray(start, start + CHUNK), { stream: true }));
          if (session.paced) await sleep(BETWEEN_READS);
        }
      }
    } catch (error) {
      // A terminal whose last process has ended may report an error instead of an end.
      if (!['EIO', 'ECONNRESET', 'ERR_STREAM_PREMATURE_CLOSE'].includes((error as NodeJS.ErrnoException).code ?? '')) {
        throw error;
      }
    }
    await send(decoder.decode());
  }

  /** The agent closes the terminal and kills the command; what the command has started may keep running. */
  private async cancel(process: TaskProcess): Promise<void> {
    await process.kill('SIGKILL').catch(() => undefined);
    process.stdin.end();
  }
}

/** Why a command can't be started, in the agent's words; undefined for errors that have nothing to do with it. */
function startProblem(error: unknown): string | undefined {
  if (error instanceof SplitError) return `Failed to parse commands input: ${error.message}`;
  if (!(error instanceof CommandNotStartedError)) return undefined;
  const { program, reason } = error;
  const what = program.includes('/') ? `fork/exec ${program}` : `exec: ${JSON.stringify(program)}`;
  return `Failed to start pty: ${what}: ${reason}`;
}

function sizeOf(payload: Buffer): { readonly rows: number; readonly columns: number } | undefined {
  try {
    const { cols, rows } = JSON.parse(payload.toString('utf8')) as { readonly cols?: unknown; readonly rows?: unknown };
    return isSize(cols) && isSize(rows) ? { columns: cols, rows } : undefined;
  } catch {
    return undefined;
  }
}

const isSize = (value: unknown): value is number =>
  Number.isInteger(value) && Number(value) >= 0 && Number(value) < 65536;
