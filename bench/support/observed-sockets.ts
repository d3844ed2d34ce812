import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Socket } from 'node:net';
import { monotonic } from './monotonic';

/** Node's channel that tells of every TCP client socket of this process. */
const CHANNEL = 'net.client.socket';

/** An accepted connection. Both in milliseconds of the monotonic clock. */
interface Connection {
  readonly connectedAtMs: number;
  lastDataAtMs?: number;
}

/** What this process's connections to one address have seen so far. In milliseconds of the monotonic clock. */
export interface Seen {
  /** When the address accepted the first of them. */
  readonly connectedAtMs: number;
  /** The exchange on the connection that heard last: from its acceptance to the last byte that came. */
  readonly exchangeMs: number;
}

/**
 * Watches the TCP connections that this process opens, so that a bench knows what the launcher saw on its own ones.
 * Nothing is added to the launcher for it.
 */
export class ObservedSockets {
  private readonly connections = new Map<string, Connection[]>();

  constructor() {
    subscribe(CHANNEL, this.onSocket);
  }

  close(): void {
    unsubscribe(CHANNEL, this.onSocket);
  }

  /** Throws when no connection to the address has received anything. */
  at(address: string): Seen {
    const connections = this.connections.get(address) ?? [];
    const [latest] = connections
      .flatMap(({ connectedAtMs, lastDataAtMs }) =>
        lastDataAtMs === undefined ? [] : [{ connectedAtMs, lastDataAtMs }],
      )
      .sort((a, b) => b.lastDataAtMs - a.lastDataAtMs);
    if (latest === undefined) throw new Error(`no connection of this process to ${address} has received anything`);
    return {
      connectedAtMs: Math.min(...connections.map(({ connectedAtMs }) => connectedAtMs)),
      exchangeMs: latest.lastDataAtMs - latest.connectedAtMs,
    };
  }

  private readonly onSocket = (message: unknown): void => {
    const { socket } = message as { readonly socket: Socket };
    // Whoever opened the socket is reading from it by the time that it is connected: another reader changes nothing.
    socket.once('connect', () => {
      const connection: Connection = { connectedAtMs: monotonic() };
      const address = socket.remoteAddress ?? '';
      this.connections.set(address, [...(this.connections.get(address) ?? []), connection]);
      socket.on('data', () => (connection.lastDataAtMs = monotonic()));
    });
  };
}
