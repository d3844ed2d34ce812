import { fromBase64, utf8 } from './bytes';
import type { ApiEvent, ApiEventResult, ApiExecRequest } from './api-types';
import { CommandError, UnreachableError } from './errors';
import type { Body, Http } from './http';
import { commandOutput } from './output';
import type { OutputChunk } from './output';
import { backoff, pause, reasonOf } from './pause';

/** Signals that a command may be sent. */
export type CommandSignal =
  'HUP' | 'INT' | 'QUIT' | 'KILL' | 'USR1' | 'USR2' | 'PIPE' | 'TERM' | 'CONT' | 'STOP' | 'TSTP' | 'WINCH';

export interface ExecOptions {
  /** Folder for this command alone. Default: the current folder of its shell; for a list of arguments /workspace. */
  readonly cwd?: string;
  /** Variables for this command alone. The service neither stores nor shows them. */
  readonly env?: Readonly<Record<string, string>>;
  /** Then the command is ended; what it wrote is kept. Default: the service's, 300. */
  readonly timeoutSeconds?: number;
  /** The shell session of a command line. Default `main`. */
  readonly shell?: string;
  /** `open`: `write` and `end` reach the command. Default `none`: its input is at its end. */
  readonly stdin?: 'none' | 'open';
  /** Name or uid, for a list of arguments. Default: the sandbox's user. */
  readonly user?: string;
  /** A terminal instead of pipes, for a list of arguments. */
  readonly terminal?: { readonly cols: number; readonly rows: number };
  /** Ends every wait for this command. The command itself goes on: `kill` ends it. */
  readonly signal?: AbortSignal;
}

/** How a command ended, with its output as far as the service keeps it. */
export interface CommandResult extends ApiEventResult {
  readonly seq: number;
  readonly stdoutRaw: Uint8Array;
  readonly stderrRaw: Uint8Array;
}

/** The longest wait of one call, below the idle limits of load balancers. Seconds. */
const WAIT_SECONDS = 50;
const LONGEST_BACKOFF_MS = 5_000;

/**
 * A command in a sandbox. It has been sent off; nothing needs to be awaited for it to run. Awaiting the command itself is the
 * same as awaiting `result`.
 */
export class Command implements PromiseLike<CommandResult> {
  /** The command as the service took it on. */
  readonly submitted: Promise<ApiEvent>;
  /** Its output, live, from the start for each `for await`. Ends when the command has ended. */
  readonly output: AsyncIterable<OutputChunk>;
  private ended: Promise<CommandResult> | undefined;

  constructor(
    private readonly http: Http,
    private readonly box: string,
    submit: Promise<ApiEvent>,
    private readonly signal?: AbortSignal,
  ) {
    this.submitted = submit;
    // Whoever waits for the result or the output hears of it; a command that nobody waits for may fail alone.
    submit.catch(() => undefined);
    this.output = { [Symbol.asyncIterator]: () => this.read() };
  }

  /** Number of the command in its sandbox, from 1. */
  get seq(): Promise<number> {
    return this.submitted.then(({ seq }) => seq);
  }

  /** Waits for its end. Throws CommandError if it could not be started or was lost. An exit code other than 0 is not an error. */
  get result(): Promise<CommandResult> {
    if (this.ended === undefined) {
      this.ended = this.waitForEnd();
      this.ended.catch(() => undefined);
    }
    return this.ended;
  }

  then<Value = CommandResult, Failure = never>(
    onResult?: ((result: CommandResult) => Value | PromiseLike<Value>) | null,
    onFailure?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Value | Failure> {
    return this.result.then(onResult, onFailure);
  }

  /** The output from an offset on: the `next` of the last chunk that a reader before had. */
  async *read({ from, signal = this.signal }: { readonly from?: number; readonly signal?: AbortSignal } = {}) {
    const seq = await this.seq;
    return yield* commandOutput(this.http, { path: await this.path(), seq }, { from, signal });
  }

  /** Sends text or bytes to its input, which must be open. Throws EventEndedError when the command has ended. */
  async write(data: Body, { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.send(data, false, signal);
  }

  /** Ends its input, after a last piece if one is given. */
  async end(data: Body = '', { signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.send(data, true, signal);
  }

  /** Sends a signal to the command and all that it has started. Throws EventEndedError when it has ended. */
  async kill(signal: CommandSignal = 'TERM'): Promise<void> {
    await this.http.response({
      method: 'POST',
      path: `${await this.path()}/signal`,
      json: { signal },
      signal: this.signal,
    });
  }

  /** Changes the size of its terminal. */
  async resize(size: { readonly cols: number; readonly rows: number }): Promise<void> {
    await this.http.response({ method: 'POST', path: `${await this.path()}/resize`, json: size, signal: this.signal });
  }

  private async send(data: Body, close: boolean, signal = this.signal): Promise<void> {
    await this.http.response({
      method: 'POST',
      path: `${await this.path()}/stdin`,
      query: close ? { close } : {},
      body: typeof data === 'string' ? utf8(data) : data,
      signal,
      // A command takes its input when it likes.
      timeoutMs: 24 * 3600 * 1000,
    });
  }

  private async path(): Promise<string> {
    return `${this.box}/events/${await this.seq}`;
  }

  private async waitForEnd(): Promise<CommandResult> {
    const path = await this.path();
    let lastSuccess = Date.now();
    for (let failures = 0; ;) {
      try {
        const event = await this.http.json<ApiEvent>({
          method: 'GET',
          path,
          query: { wait: WAIT_SECONDS },
          signal: this.signal,
          timeoutMs: (WAIT_SECONDS + 20) * 1000,
        });
        if (event.result !== null) return resultOf(event, event.result);
        failures = 0;
        lastSuccess = Date.now();
      } catch (error) {
        if (this.signal?.aborted) throw reasonOf(this.signal);
        // The command goes on while the service restarts.
        if (!(error instanceof UnreachableError) || Date.now() - lastSuccess > this.http.settings.resumeMs) throw error;
        await pause(backoff(failures++, LONGEST_BACKOFF_MS), this.signal);
      }
    }
  }
}

/** Hands a command line or a list of arguments to the service. A repeated call starts nothing again. */
export function submitExec(
  http: Http,
  box: string,
  command: string | readonly string[],
  { signal, ...options }: ExecOptions,
): Command {
  const what: ApiExecRequest = typeof command === 'string' ? { cmd: command } : { argv: command };
  return submitEvent(http, box, 'exec', { ...what, ...options, stdin: options.stdin ?? 'none' }, signal);
}

/** Posts what becomes an event of the sandbox. */
export function submitEvent(http: Http, box: string, route: string, json: object, signal?: AbortSignal): Command {
  const event = http.json<ApiEvent>({
    method: 'POST',
    path: `${box}/${route}`,
    json,
    idempotencyKey: crypto.randomUUID(),
    signal,
  });
  return new Command(http, box, event, signal);
}

function resultOf({ seq }: ApiEvent, result: ApiEventResult): CommandResult {
  if (result.reason === 'lost' || result.reason === 'refused') {
    const text =
      result.reason === 'refused' ? 'the command could not be started' : 'the command was lost with its host';
    throw new CommandError(result.reason, result.detail ?? text, seq);
  }
  const { stdout, stderr, stdoutB64, stderrB64 } = result;
  return {
    ...result,
    seq,
    stdoutRaw: stdoutB64 === undefined ? utf8(stdout) : fromBase64(stdoutB64),
    stderrRaw: stderrB64 === undefined ? utf8(stderr) : fromBase64(stderrB64),
  };
}
