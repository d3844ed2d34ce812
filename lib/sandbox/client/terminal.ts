import { fromApi } from './names';
import { CommandError, SandboxApiError, UnreachableError, UsageError } from './errors';
import type { Http, QueryValue } from './http';
import type { CommandExit } from './output';
import { backoff, pause, reasonOf } from './pause';
import { ticketOf } from './ticket';

export interface TerminalOptions {
  /** Default 80 by 24. */
  readonly cols?: number;
  readonly rows?: number;
  /** A command line. Default: a login shell. */
  readonly command?: string;
  /** Default: /workspace. */
  readonly cwd?: string;
  /** Name or uid. Default: the sandbox's user. */
  readonly user?: string;
  /** Goes on with the terminal of this command instead of opening one. */
  readonly seq?: number;
  /** With `seq`: offset of the first byte of output. Default 0. */
  readonly offset?: number;
  /** Called with true when the terminal is joined, and with false when the connection is cut and tried again. */
  readonly onConnection?: (joined: boolean) => void;
  /** Leaves the terminal, as `close` does. */
  readonly signal?: AbortSignal;
}

/** What the platform's WebSocket and that of `ws` have in common. */
interface Socket {
  binaryType: string;
  readonly readyState: number;
  onopen: (() => void) | null;
  onmessage: ((event: { readonly data: unknown }) => void) | null;
  onclose: ((event: { readonly code: number; readonly reason: unknown }) => void) | null;
  onerror: ((event: unknown) => void) | null;
  send(data: string | Uint8Array): void;
  close(code?: number): void;
}

const OPEN = 1;
const LONGEST_BACKOFF_MS = 5_000;
/** Output that nobody has taken yet. Above it the connection is left, and opened again at this place when it is taken. */
const MOST_QUEUED = 4 * 1024 * 1024;

/** What happened to one connection. */
type ConnectionEnd = 'again' | 'full' | 'done';

/**
 * A terminal in a sandbox, over a WebSocket. A connection that is cut is opened again where it stopped; the terminal itself
 * goes on meanwhile. When nobody comes back to it, the service hangs it up after a few minutes.
 */
export class Terminal implements AsyncDisposable {
  /** Bytes of the screen; for one reader. Ends with the terminal's command. */
  readonly output: AsyncIterable<Uint8Array>;
  /** How the command ended. Throws the reason of the signal when the terminal was left first. */
  readonly exit: Promise<CommandExit>;
  /** Number of the terminal's command: with it the terminal can be joined again. */
  readonly seq: Promise<number>;

  private readonly leaving = new AbortController();
  private readonly settle: {
    exit: (exit: CommandExit) => void;
    failExit: (error: unknown) => void;
    seq: (seq: number) => void;
    failSeq: (error: unknown) => void;
  };
  private socket: Socket | undefined;
  private known: number | undefined;
  private offset: number;
  private size: { readonly cols: number; readonly rows: number };
  private unsent: (string | Uint8Array)[] = [];
  private queue: Uint8Array[] = [];
  private queued = 0;
  private ended: { readonly error?: unknown } | undefined;
  private wake: () => void = () => undefined;

  constructor(
    private readonly http: Http,
    private readonly box: string,
    private readonly options: TerminalOptions,
  ) {
    if (http.settings.WebSocket === undefined) {
      throw new UsageError('this platform has no WebSocket: give that of the package ws as WebSocket');
    }
    this.known = options.seq;
    this.offset = options.offset ?? 0;
    this.size = { cols: options.cols ?? 80, rows: options.rows ?? 24 };
    const settle: Partial<Terminal['settle']> = {};
    this.exit = new Promise((resolve, reject) => Object.assign(settle, { exit: resolve, failExit: reject }));
    this.seq = new Promise((resolve, reject) => Object.assign(settle, { seq: resolve, failSeq: reject }));
    this.settle = settle as Terminal['settle'];
    for (const promise of [this.exit, this.seq]) promise.catch(() => undefined);
    this.output = { [Symbol.asyncIterator]: () => this.read() };
    options.signal?.addEventListener('abort', () => this.leave(reasonOf(options.signal)), { once: true });
    if (options.signal?.aborted) this.leave(reasonOf(options.signal));
    void this.stayConnected();
  }

  /** Types: text or bytes. What is typed while the connection is away is sent when it is back. */
  write(data: string | Uint8Array): void {
    this.send(typeof data === 'string' ? new TextEncoder().encode(data) : data);
  }

  resize(size: { readonly cols: number; readonly rows: number }): void {
    this.size = { cols: size.cols, rows: size.rows };
    // A connection that is opened later brings the size along.
    if (this.socket?.readyState === OPEN) this.socket.send(JSON.stringify({ type: 'resize', ...this.size }));
  }

  /** Leaves the terminal. Its command gets a hang-up after a few minutes, unless somebody joins it again. */
  close(): void {
    this.leave(new DOMException('the terminal was left', 'AbortError'));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  private send(data: string | Uint8Array): void {
    if (this.socket?.readyState === OPEN) this.socket.send(data);
    else this.unsent.push(data);
  }

  private leave(reason: Error): void {
    this.finish({ error: reason });
    this.leaving.abort(reason);
    this.socket?.close(1000);
  }

  private finish(end: { readonly error?: unknown }): void {
    this.ended ??= end;
    if (end.error !== undefined) {
      this.settle.failExit(end.error);
      this.settle.failSeq(end.error);
    }
    this.wake();
  }

  private async *read(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const piece = this.queue.shift();
      if (piece !== undefined) {
        this.queued -= piece.length;
        this.wake();
        yield piece;
      } else if (this.ended !== undefined) {
        if (this.ended.error !== undefined && !this.leaving.signal.aborted) throw this.ended.error;
        return;
      } else {
        await this.change();
      }
    }
  }

  /** Waits until something has come, was taken or has ended. */
  private change(): Promise<void> {
    return new Promise((resolve) => {
      const before = this.wake;
      this.wake = () => {
        this.wake = () => undefined;
        before();
        resolve();
      };
    });
  }

  private async stayConnected(): Promise<void> {
    let lastSuccess = Date.now();
    for (let failures = 0; this.ended === undefined; failures += 1) {
      try {
        const before = this.offset;
        const { end, opened } = await this.connection(await ticketOf(this.http, this.box, this.leaving.signal));
        if (end === 'done') return;
        if (opened) lastSuccess = Date.now();
        if (end === 'full' || this.offset > before) failures = -1;
        while (end === 'full' && this.queued > MOST_QUEUED / 2 && this.ended === undefined) await this.change();
      } catch (error) {
        if (this.ended !== undefined) return;
        if (
          error instanceof CommandError ||
          (error instanceof SandboxApiError && error.status < 500 && error.status !== 429)
        ) {
          this.finish({ error });
          return;
        }
      }
      if (Date.now() - lastSuccess > this.http.settings.resumeMs) {
        this.finish({ error: new UnreachableError('the terminal was cut, and cannot be joined again') });
        return;
      }
      if (failures > 0) await pause(backoff(failures, LONGEST_BACKOFF_MS), this.leaving.signal).catch(() => undefined);
    }
  }

  private url(ticket: string): string {
    const { command, cwd, user } = this.options;
    const place: Readonly<Record<string, QueryValue>> =
      this.known === undefined ? { command, cwd, user } : { seq: this.known, offset: this.offset };
    return this.http.url(`${this.box}/pty`, { ticket, ...this.size, ...place }).replace(/^http/, 'ws');
  }

  /** One connection, up to its end. */
  private connection(ticket: string): Promise<{ readonly end: ConnectionEnd; readonly opened: boolean }> {
    return new Promise((resolve, reject) => {
      const WebSocket = this.http.settings.WebSocket as new (url: string) => Socket;
      const socket = new WebSocket(this.url(ticket));
      socket.binaryType = 'arraybuffer';
      this.socket = socket;
      let end: ConnectionEnd = 'again';
      let opened = false;
      let problem: SandboxApiError | undefined;
      socket.onopen = () => {
        opened = true;
        // Joined terminals have the size of whoever looked before.
        if (this.known !== undefined) this.resize(this.size);
        for (const data of this.unsent.splice(0)) socket.send(data);
      };
      socket.onmessage = ({ data }) => {
        if (end !== 'again') return;
        if (typeof data !== 'string') {
          if (this.take(new Uint8Array(data as ArrayBuffer))) return;
          end = 'full';
          socket.close(1000);
          return;
        }
        const message = fromApi(JSON.parse(data)) as Message;
        if (message.type === 'exit') {
          end = 'done';
          this.exited(message);
        } else if (message.type === 'error') {
          problem = new SandboxApiError(message.error, message.detail, { status: 500 });
        } else if (message.type === 'gap') {
          this.offset = message.offset + message.length;
        } else if (message.type === 'started') {
          this.known = message.seq;
          this.settle.seq(message.seq);
          this.options.onConnection?.(true);
        }
      };
      // Why is in the code of the close that follows.
      socket.onerror = () => undefined;
      socket.onclose = ({ code }) => {
        if (this.socket === socket) this.socket = undefined;
        if (this.leaving.signal.aborted) reject(reasonOf(this.leaving.signal));
        else if (problem !== undefined && code === 1011)
          reject(new CommandError('lost', problem.message, this.known ?? 0));
        else {
          if (end === 'again') this.options.onConnection?.(false);
          resolve({ end, opened });
        }
      };
    });
  }

  private exited({ type: _type, ...exit }: Extract<Message, { readonly type: 'exit' }>): void {
    if (exit.reason === 'lost' || exit.reason === 'refused') {
      const { reason, detail = `the terminal's command was ${reason}` } = exit;
      this.finish({ error: new CommandError(reason, detail, this.known ?? 0) });
      return;
    }
    this.settle.exit(exit);
    this.finish({});
  }

  /** False when nobody takes the output any more. */
  private take(bytes: Uint8Array): boolean {
    this.offset += bytes.length;
    this.queued += bytes.length;
    this.queue.push(bytes);
    this.wake();
    return this.queued <= MOST_QUEUED;
  }
}

type Message =
  | { readonly type: 'started'; readonly seq: number; readonly offset: number }
  | { readonly type: 'gap'; readonly offset: number; readonly length: number }
  | { readonly type: 'error'; readonly error: string; readonly detail: string }
  | ({ readonly type: 'exit' } & CommandExit);
