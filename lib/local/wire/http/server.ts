import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { WireResponse } from '../wire-protocol';
import { originProblem } from './origin-guard';
import { BodyTooLargeError, readRequest } from './request';
import type { HttpRequest } from './request';

const LOOPBACK = '127.0.0.1';

const plain = (status: number, message: string): WireResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify({ message }),
});

/** An HTTP server on 127.0.0.1 that serves programs of this machine and no web page. */
export class LoopbackServer {
  private constructor(
    private readonly server: Server,
    readonly port: number,
  ) {}

  get url(): string {
    return `http://${LOOPBACK}:${this.port}`;
  }

  /** `port` 0 takes a free one. Rejects when the port is taken. */
  static async listen(
    port: number,
    serve: (request: HttpRequest) => Promise<WireResponse>,
    onFault: (error: unknown) => void,
  ): Promise<LoopbackServer> {
    const server = createServer((message, response) => {
      const bound = (server.address() as AddressInfo).port;
      answer(message, bound, serve)
        .catch((error: unknown) => {
          onFault(error);
          return plain(500, 'the local endpoint failed to process the request; its log says why');
        })
        .then((result) => send(response, result))
        .catch(onFault);
    });
    // Clients keep connections for their next call; the server must not be the one that closes them first.
    server.keepAliveTimeout = 75_000;
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(port, LOOPBACK, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
    return new LoopbackServer(server, (server.address() as AddressInfo).port);
  }

  async close(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.close(() => resolve());
      this.server.closeAllConnections();
    });
  }
}

async function answer(
  message: IncomingMessage,
  port: number,
  serve: (request: HttpRequest) => Promise<WireResponse>,
): Promise<WireResponse> {
  let request: HttpRequest;
  try {
    request = await readRequest(message);
  } catch (error) {
    if (error instanceof BodyTooLargeError) return plain(413, error.message);
    throw error;
  }
  const problem = originProblem(request, port);
  return problem === undefined ? serve(request) : plain(403, problem);
}

function send(response: ServerResponse, { status, headers, body }: WireResponse): void {
  if (response.destroyed) return;
  response.writeHead(status, { ...headers, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
