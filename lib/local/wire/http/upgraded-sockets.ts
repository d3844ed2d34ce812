import { STATUS_CODES } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { WireResponse } from '../wire-protocol';
import { originProblem } from './origin-guard';
import { plainAnswer } from './plain-answer';
import { headOf } from './request';
import type { ServerHandlers } from './server';

/** WebSocket connections that are open at one time. */
const MAX_UPGRADED = 512;

/** The connections that have left HTTP for WebSocket, which the HTTP server no longer knows. */
export class UpgradedSockets {
  private readonly open = new Set<Duplex>();

  constructor(
    private readonly handlers: Pick<ServerHandlers, 'upgrade' | 'onFault'>,
    private readonly port: () => number,
  ) {}

  /** Hands the connection to whoever serves its path, or answers with an HTTP error and closes it. */
  async take(message: IncomingMessage, socket: Duplex, firstBytes: Buffer): Promise<void> {
    // A peer that has gone isn't our fault, and an unhandled error would end the process.
    socket.on('error', () => socket.destroy());
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
    const refusal = await this.refusalOf(message, socket, firstBytes);
    if (refusal !== undefined) socket.end(rawAnswer(refusal), () => socket.destroy());
  }

  closeAll(): void {
    for (const socket of this.open) socket.destroy();
  }

  private async refusalOf(
    message: IncomingMessage,
    socket: Duplex,
    firstBytes: Buffer,
  ): Promise<WireResponse | undefined> {
    const head = headOf(message);
    const problem = originProblem(head, this.port());
    if (problem !== undefined) return plainAnswer(403, problem);
    if (this.open.size > MAX_UPGRADED) {
      return plainAnswer(503, `${MAX_UPGRADED} WebSocket connections are open, and no more are allowed`);
    }
    if (head.headers.upgrade?.toLowerCase() !== 'websocket' || head.method !== 'GET') {
      return plainAnswer(400, 'only GET requests that ask for "Upgrade: websocket" can be upgraded');
    }
    try {
      return await this.handlers.upgrade({ head, message, socket, firstBytes });
    } catch (error) {
      this.handlers.onFault(error);
      return plainAnswer(500, 'the local endpoint failed to open the connection; its log says why');
    }
  }
}

function rawAnswer({ status, headers, body }: WireResponse): string {
  const lines = Object.entries({ ...headers, 'content-length': Buffer.byteLength(body), connection: 'close' });
  const head = lines.map(([name, value]) => `${name}: ${value}`).join('\r\n');
  return `HTTP/1.1 ${status} ${STATUS_CODES[status] ?? ''}\r\n${head}\r\n\r\n${body}`;
}
