import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { createServer, request } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { connect } from 'node:net';

/**
 * An HTTP proxy as companies have them: CONNECT, and requests with a whole URL. Whatever is asked for is reached at
 * `target`, so that names needn't exist. With `password` it asks for `user:password` (RFC 9110, 11.7).
 */
export class ConnectProxy {
  /** What was asked for, for example `CONNECT ecs.example.test:443`. */
  readonly asked: string[] = [];
  /** What CONNECT is answered with instead of a connection. */
  refusal: string | undefined;
  private readonly sockets = new Set<Socket>();
  private readonly server = createServer((incoming, response) => {
    this.asked.push(`${incoming.method} ${incoming.url}`);
    const { pathname, search } = new URL(incoming.url ?? '');
    const { method, headers } = incoming;
    incoming.pipe(
      request({ host: '127.0.0.1', port: this.target(), method, headers, path: pathname + search }, (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      }),
    );
  });

  private constructor(
    private readonly target: () => number,
    private readonly password: string | undefined,
  ) {
    this.server.on('connect', (incoming: IncomingMessage, client: Socket) => this.tunnel(incoming, client));
    this.server.on('connection', (socket) => this.sockets.add(socket));
  }

  static async start(target: () => number, password?: string): Promise<ConnectProxy> {
    const proxy = new ConnectProxy(target, password);
    await once(proxy.server.listen(0, '127.0.0.1'), 'listening');
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  url(user = ''): string {
    return `http://${user === '' ? '' : `${user}@`}127.0.0.1:${this.port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((resolve) => this.server.close(resolve));
  }

  private tunnel(incoming: IncomingMessage, client: Socket): void {
    this.asked.push(`CONNECT ${incoming.url}`);
    const wanted = this.password === undefined ? undefined : `Basic ${Buffer.from(this.password).toString('base64')}`;
    const refusal =
      incoming.headers['proxy-authorization'] === wanted ? this.refusal : '407 Proxy Authentication Required';
    client.on('error', () => undefined);
    if (refusal !== undefined) {
      client.end(`HTTP/1.1 ${refusal}\r\nContent-Length: 9\r\n\r\n<html>no\n`);
      return;
    }
    const server = connect(this.target(), '127.0.0.1', () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      server.pipe(client).pipe(server);
    });
    this.sockets.add(server);
    server.on('error', () => client.destroy());
  }
}
