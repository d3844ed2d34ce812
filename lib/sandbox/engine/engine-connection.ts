import type { ClientRequest, IncomingMessage } from 'node:http';
import { Agent, request } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex, Readable } from 'node:stream';
import type { SandboxErrorCode } from '../model/errors';
import { SANDBOX_ERRORS, SandboxError } from '../model/errors';

/** Opens a connection to the engine's socket. Called whenever no open one is free. */
export type Dial = () => Promise<Duplex>;

/** At once, to one engine. More wait: an SSH connection carries a bounded number of channels. */
const MOST_CONNECTIONS = 256;
const MOST_IDLE = 8;

/** Node's HTTP over streams that somebody else opens. */
class DialAgent extends Agent {
  constructor(private readonly dial: Dial) {
    super({ keepAlive: true, maxSockets: MOST_CONNECTIONS, maxFreeSockets: MOST_IDLE });
  }

  override createConnection(_options: unknown, callback?: (error: Error | null, stream: Duplex) => void): Duplex {
    this.dial().then(
      (stream) => callback?.(null, withSocketCalls(stream)),
      (error: Error) => callback?.(error, undefined as unknown as Duplex),
    );
    return undefined as unknown as Duplex;
  }
}

/** The calls of a socket that Node's HTTP makes, for streams that aren't one. */
function withSocketCalls(stream: Duplex): Duplex {
  const socket = stream as Duplex & Record<string, unknown>;
  for (const name of ['setKeepAlive', 'setNoDelay', 'setTimeout', 'ref', 'unref']) {
    if (typeof socket[name] !== 'function') socket[name] = () => socket;
  }
  // A channel of SSH that is closed still says that it can be written to, and would stay among the free ones.
  const ended = (): void => {
    for (const [name, value] of [
      ['writable', false],
      ['destroyed', true],
    ] as const) {
      Object.defineProperty(socket, name, { value, configurable: true, writable: true });
    }
  };
  if (stream instanceof Socket) return socket;
  socket.prependListener('close', ended);
  writesTogether(socket);
  return socket;
}

/** HTTP writes a piece of a body in three parts, and a channel of SSH sends each as a packet of its own: here as one. */
function writesTogether(stream: Duplex): void {
  stream._writev = (parts, callback) =>
    stream._write(Buffer.concat(parts.map(({ chunk }) => chunk as Buffer)), 'buffer' as BufferEncoding, callback);
}

export interface EngineRequest {
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
  readonly data?: Readable;
  readonly signal?: AbortSignal;
}

/** Requests to one engine, and its errors as SandboxError. */
export class EngineConnection {
  private readonly agent: DialAgent;
  private closed = false;

  constructor(
    dial: Dial,
    private readonly token: string,
  ) {
    this.agent = new DialAgent(dial);
  }

  /** The whole answer, as JSON. */
  async json<T>(call: EngineRequest): Promise<T> {
    const response = await this.stream(call);
    return JSON.parse(await wholeText(response)) as T;
  }

  /** The answer once its headers are there. It has succeeded. */
  async stream(call: EngineRequest): Promise<IncomingMessage> {
    if (this.closed) throw new SandboxError('session_unavailable', 'the connection to the sandbox was closed');
    const response = await this.open(call);
    if ((response.statusCode ?? 0) < 400) return response;
    throw engineError(response.statusCode ?? 0, await wholeText(response).catch(() => ''));
  }

  close(): void {
    this.closed = true;
    this.agent.destroy();
  }

  private async open(call: EngineRequest): Promise<IncomingMessage> {
    const text = call.body === undefined ? undefined : JSON.stringify(call.body);
    // A connection that the other end has just closed fails before anything is sent or answered. What has no data to send
    // and can be done twice is then sent again.
    const repeatable = call.data === undefined && call.method !== 'POST';
    for (let attempt = 0; ; attempt++) {
      const sent = this.send(call, text);
      try {
        return await answerOf(sent, call);
      } catch (error) {
        if (attempt === 0 && repeatable && sent.reusedSocket && !call.signal?.aborted) continue;
        throw error;
      }
    }
  }

  private send(call: EngineRequest, text: string | undefined): ClientRequest {
    return request({
      agent: this.agent,
      method: call.method,
      path: call.path,
      headers: {
        host: 'sandboxd',
        authorization: `Bearer ${this.token}`,
        ...(text === undefined
          ? {}
          : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }),
      },
      ...(call.signal === undefined ? {} : { signal: call.signal }),
    }).on('socket', function (this: ClientRequest) {
      if (text !== undefined) this.end(text);
      else if (call.data === undefined) this.end();
    });
  }
}

function answerOf(sent: ClientRequest, { data, signal }: EngineRequest): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(
        signal?.aborted
          ? (signal.reason as Error)
          : unavailable(`the connection to the sandbox was lost: ${error.message}`, error),
      );
    sent.on('error', (error) => {
      data?.destroy();
      fail(error);
    });
    sent.on('response', (response) => {
      // An answer before the end of the data is a refusal: the rest isn't wanted.
      if (data !== undefined && !data.readableEnded) data.unpipe(sent);
      resolve(response);
    });
    if (data === undefined) return;
    data.on('error', (error: Error) => {
      reject(error);
      sent.destroy();
    });
    if (data.destroyed && !data.readableEnded) {
      sent.destroy(new Error('the data to send was closed before'));
      return;
    }
    data.pipe(sent);
  });
}

export const unavailable = (message: string, cause?: unknown): SandboxError =>
  new SandboxError('session_unavailable', message, cause === undefined ? {} : { cause });

async function wholeText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  try {
    for await (const part of response) parts.push(part as Buffer);
  } catch (error) {
    throw unavailable(`the connection to the sandbox was lost: ${(error as Error).message}`, error);
  }
  return Buffer.concat(parts).toString('utf8');
}

function engineError(status: number, text: string): SandboxError {
  try {
    const { error, detail } = JSON.parse(text) as { readonly error: string; readonly detail: string };
    // Its token is ours to have right: no caller can do anything about it.
    if (error === 'unauthorized') return unavailable(`sandboxd refused our token: ${detail}`);
    if (Object.hasOwn(SANDBOX_ERRORS, error)) return new SandboxError(error as SandboxErrorCode, detail);
  } catch {
    // Told below.
  }
  return new SandboxError('internal', `sandboxd answered with status ${status} and no reason`);
}
