import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export interface Listening {
  readonly server: Server;
  /** As text, since parameters of sessions are. */
  readonly port: string;
}

/** A server on a free port of a loopback address that does this with each connection. */
export async function listening(serve: (socket: Socket) => void, address = '127.0.0.1'): Promise<Listening> {
  const server = createServer((socket) => {
    // A client that is gone is no fault of the test's.
    socket.on('error', () => undefined);
    serve(socket);
  });
  server.listen(0, address);
  await once(server, 'listening');
  return { server, port: String((server.address() as AddressInfo).port) };
}
