import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { MngrFargateError } from '../../contract/errors';
import type { EcsTasks } from '../ecs-tasks';
import type { Target } from '../resolve';
import { PortSessions } from './port-sessions';
import { readSocksRequest, SOCKS_REPLY, socksReply } from './socks';

export interface ForwardRequest {
  /** Address here to listen on. */
  readonly bind: string;
  /** Port here; 0 for a free one. */
  readonly port: number;
  /** A host that the task can reach; null for the task itself. */
  readonly host: string | null;
  readonly remotePort: number;
}

export interface ForwardOptions {
  readonly forwards: readonly ForwardRequest[];
  /** Where to listen for SOCKS5 clients, who say themselves where they want to go. */
  readonly socks: readonly Pick<ForwardRequest, 'bind' | 'port'>[];
  /** Called for a connection that could not be made. The others go on. */
  readonly onProblem: (problem: Error) => void;
  readonly signal?: AbortSignal;
}

/** A port that is listened on. `host` and `remotePort` are null for SOCKS5. */
export interface Forward {
  readonly bind: string;
  readonly port: number;
  readonly host: string | null;
  readonly remotePort: number | null;
}

/** Ports that are forwarded until they are closed. */
export interface Forwards extends AsyncDisposable {
  readonly bound: readonly Forward[];
}

/**
 * Listens on ports here and connects them through the container. All sessions of `forwards` are open and all ports are bound
 * when it returns; if one can't be, none stays. Throws `usage` for an address here that can't be had, and as `openSession`.
 */
export async function forwardPorts(tasks: EcsTasks, target: Target, options: ForwardOptions): Promise<Forwards> {
  const sessions = new PortSessions(tasks, target, options.signal);
  const servers: Listener[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(servers.map((server) => server.close()));
    await sessions[Symbol.asyncDispose]();
  };
  try {
    await Promise.all(options.forwards.map(({ host, remotePort }) => sessions.session(host, remotePort)));
    const bound: Forward[] = [];
    for (const { bind, port, host, remotePort } of options.forwards) {
      const listener = new Listener((socket) => relay(socket, () => sessions.connect(host, remotePort)), options);
      servers.push(listener);
      bound.push({ ...(await listener.listen(bind, port)), host, remotePort });
    }
    for (const { bind, port } of options.socks) {
      const listener = new Listener((socket) => relaySocks(socket, sessions), options);
      servers.push(listener);
      bound.push({ ...(await listener.listen(bind, port)), host: null, remotePort: null });
    }
    return { bound, [Symbol.asyncDispose]: close };
  } catch (error) {
    await close();
    throw error;
  }
}

class Listener {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;

  constructor(serve: (socket: Socket) => Promise<void>, { onProblem }: ForwardOptions) {
    this.server = createServer({ allowHalfOpen: true, pauseOnConnect: true, noDelay: true }, (socket) => {
      this.sockets.add(socket);
      socket.on('error', () => undefined).once('close', () => this.sockets.delete(socket));
      serve(socket).catch((error: Error) => {
        socket.destroy();
        onProblem(error);
      });
    });
  }

  async listen(bind: string, port: number): Promise<{ readonly bind: string; readonly port: number }> {
    try {
      this.server.listen(port, bind);
      await once(this.server, 'listening');
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      throw new MngrFargateError('usage', `cannot listen on ${bind} port ${port}: ${code ?? message}`, {
        cause: error,
        hint: code === 'EADDRINUSE' ? 'choose another port, or 0 for a free one' : undefined,
      });
    }
    return { bind, port: (this.server.address() as AddressInfo).port };
  }

  close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

async function relay(socket: Socket, connect: () => Promise<Duplex>): Promise<void> {
  const stream = await connect();
  join(socket, stream);
}

async function relaySocks(socket: Socket, sessions: PortSessions): Promise<void> {
  const wanted = await readSocksRequest(socket).catch(() => undefined);
  if (wanted === undefined) return void socket.end();
  const isTask = wanted.host === 'localhost' || wanted.host === '127.0.0.1';
  try {
    const stream = await sessions.connect(isTask ? null : wanted.host, wanted.port);
    socket.write(socksReply(SOCKS_REPLY.succeeded));
    join(socket, stream);
  } catch (error) {
    socket.end(socksReply(SOCKS_REPLY.unreachable));
    throw error;
  }
}

/** Each side's end of file goes to the other; an error ends both. */
function join(socket: Socket, stream: Duplex): void {
  stream.on('error', () => socket.destroy()).once('close', () => socket.end());
  socket.once('close', () => stream.destroy());
  if (socket.destroyed) return void stream.destroy();
  socket.pipe(stream);
  stream.pipe(socket);
}
