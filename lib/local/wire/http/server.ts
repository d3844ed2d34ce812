import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { WireResponse } from '../wire-protocol';
import { originProblem } from './origin-guard';
import { plainAnswer } from './plain-answer';
import { BodyTooLargeError, headOf, readBody } from './request';
import type { HttpRequest, RequestHead } from './request';
import { UpgradedSockets } from './upgraded-sockets';
import type { Upgrade } from './upgrades';

const LOOPBACK = '127.0.0.1';
/** A client of ours keeps 50 connections at most. */
const MAX_CONNECTIONS = 1024;
const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 60_000;
/** Clients keep connections for their next call; the server must not be the one that closes them first. */
const KEEP_ALIVE_TIMEOUT_MS = 75_000;

/** Decides about a request before any of its body is read. */
export type Admission = { readonly maxBodyBytes: number } | { readonly refusal: WireResponse };

export interface ServerHandlers {
  readonly admit: (head: RequestHead) => Admission;
  readonly serve: (request: HttpRequest) => Promise<WireResponse>;
  /** Takes over the connection, or answers why it doesn't. */
  readonly upgrade: (upgrade: Upgrade) => Promise<WireResponse | undefined>;
  /** Is told of errors that are the server's own fault. */
  readonly onFault: (error: unknown) => void;
}

/** An HTTP server on 127.0.0.1 that serves programs of this machine and no web page. */
export class LoopbackServer {
  private constructor(
    private readonly server: Server,
    private readonly upgraded: UpgradedSockets,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  /** `port` 0 means a free one. Rejects when the port is taken. */
  static async listen(port: number, handlers: ServerHandlers): Promise<LoopbackServer> {
    const server = createServer({ headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS });
    const portOf = (): number => (server.address() as AddressInfo).port;
    const upgraded = new UpgradedSockets(handlers, portOf);
    server.on('request', (message: IncomingMessage, response: ServerResponse) => {
      answer(message, portOf(), handlers)
        .then((result) => send(message, response, result))
        .catch(handlers.onFault);
    });
    server.on('upgrade', (message: IncomingMessage, socket: Duplex, firstBytes: Buffer) => {
      upgraded.take(message, socket, firstBytes).catch(handlers.onFault);
    });
    server.maxConnections = MAX_CONNECTIONS;
    server.keepAliveTimeout = KEEP_ALIVE_TIMEOUT_MS;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, LOOPBACK, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    return new LoopbackServer(server, upgraded, portOf());
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
      this.upgraded.closeAll();
    });
  }
}

async function answer(message: IncomingMessage, port: number, handlers: ServerHandlers): Promise<WireResponse> {
  const head = headOf(message);
  const problem = originProblem(head, port);
  if (problem !== undefined) return plainAnswer(403, problem);
  try {
    const admission = handlers.admit(head);
    if ('refusal' in admission) return admission.refusal;
    return await handlers.serve({ ...head, body: await readBody(message, admission.maxBodyBytes) });
  } catch (error) {
    if (error instanceof BodyTooLargeError) return plainAnswer(413, error.message);
    if (message.destroyed && !message.complete) return plainAnswer(400, 'the request was cut off');
    handlers.onFault(error);
    return plainAnswer(500, 'the local endpoint failed to process the request; its log says why');
  }
}

function send(message: IncomingMessage, response: ServerResponse, { status, headers, body }: WireResponse): void {
  if (response.destroyed) return;
  // An unread body would be taken for the connection's next request.
  if (!message.complete) response.setHeader('connection', 'close');
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
