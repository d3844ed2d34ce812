import type { Agent } from 'node:http';
import type { Socket } from 'node:net';
import type { RawData } from 'ws';
import { WebSocket } from 'ws';
import type { Dial, WireLoss } from './wire';

const CONNECT_TIMEOUT_MS = 15_000;
const NORMAL_CLOSE = 1000;
/** The longest message that is accepted: agents send about a kilobyte. Bytes. */
const LONGEST_MESSAGE = 8 * 1024 * 1024;

export interface SocketOptions {
  readonly url: string;
  /** Headers for one attempt, made anew each time because a signature has a date. */
  headers(): Promise<Readonly<Record<string, string>>>;
  /** Node's agent for proxy and certificates. */
  agent?(): Promise<Agent | undefined>;
}

/** Connects with a WebSocket. */
export const dialSocket =
  ({ url, headers, agent }: SocketOptions): Dial =>
  (events) => {
    let socket: WebSocket | undefined;
    let connection: Socket | undefined;
    let over = false;
    const lose = (why: WireLoss): void => {
      if (over) return;
      over = true;
      socket?.terminate();
      events.lost(why);
    };
    void Promise.all([headers(), agent?.()]).then(
      ([signed, via]) => {
        if (over) return;
        socket = new WebSocket(url, {
          headers: signed,
          agent: via,
          handshakeTimeout: CONNECT_TIMEOUT_MS,
          maxPayload: LONGEST_MESSAGE,
          perMessageDeflate: false,
          followRedirects: false,
        });
        listen(socket);
      },
      (error: Error) => lose({ reason: error.message }),
    );

    /** Frames of one turn leave together: one call to the system for many of them. */
    const gather = (): void => {
      if (connection === undefined || connection.writableCorked > 0) return;
      connection.cork();
      process.nextTick(() => connection?.uncork());
    };

    const listen = (made: WebSocket): void => {
      made.on('upgrade', (response) => (connection = response.socket));
      made.on('open', () => over || events.open());
      made.on('message', (data: RawData, binary: boolean) => {
        if (!over && binary) events.message(asBuffer(data));
      });
      made.on('ping', () => over || events.alive());
      made.on('pong', () => over || events.alive());
      made.on('unexpected-response', (request, { statusCode }) => {
        request.destroy();
        lose({ reason: `the server answered with status ${statusCode}`, status: statusCode });
      });
      made.on('error', (error) => lose({ reason: error.message }));
      made.on('close', (closeCode, reason) =>
        lose({ reason: reason.toString() || `the server closed it with code ${closeCode}`, closeCode }),
      );
    };

    return {
      send: (frame) => {
        gather();
        socket?.send(frame, ignoreLateError);
      },
      ping: () => socket?.ping(undefined, undefined, ignoreLateError),
      pause: () => socket?.pause(),
      resume: () => socket?.resume(),
      close: () => {
        if (over) return;
        over = true;
        if (socket === undefined) return;
        // An answer to the close frame would come too late to matter, and a paused socket never reads it.
        socket.on('error', ignoreLateError);
        if (socket.readyState === WebSocket.OPEN) {
          socket.resume();
          socket.close(NORMAL_CLOSE);
        } else socket.terminate();
      },
    };
  };

/** A connection that breaks says so with its `close` event. */
const ignoreLateError = (): void => undefined;

const asBuffer = (data: RawData): Buffer =>
  Buffer.isBuffer(data) ? data : Array.isArray(data) ? Buffer.concat(data) : Buffer.from(data);
