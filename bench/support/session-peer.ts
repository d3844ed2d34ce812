import type { AddressInfo } from 'node:net';
import type { RawData, WebSocket } from 'ws';
import { WebSocketServer } from 'ws';
import { writeFrame } from '../../test/support/session/frames';

/**
 * The other end of the sessions that `session` measures, in a process of its own. `/bare` is a plain WebSocket,
 * `/channel` a data channel whose agent makes no pauses. `?down=N` sends N kilobytes, else what comes is swallowed: a bare
 * connection is then answered once `?up=N` kilobytes have come.
 */
const KILOBYTE = 1024;
/** Bytes that may wait in the process. */
const AHEAD = 1_000_000;
const BODY = Buffer.alloc(KILOBYTE, 'x');

const output = (sequence: number, payload: Buffer): Buffer =>
  writeFrame({ type: 'output_stream_data', sequence, payloadType: 1, payload });

const acknowledgement = (sequence: number): Buffer =>
  writeFrame({
    type: 'acknowledge',
    sequence: 0,
    payloadType: 0,
    payload: Buffer.from(`{"AcknowledgedMessageSequenceNumber":${sequence}}`),
  });

function sendAll(socket: WebSocket, frames: readonly Buffer[]): void {
  let next = 0;
  const pump = (): void => {
    while (next < frames.length && socket.bufferedAmount < AHEAD) socket.send(frames[next++] as Buffer);
    if (next < frames.length && socket.readyState === socket.OPEN) setImmediate(pump);
  };
  pump();
}

function serveBare(socket: WebSocket, down: number, up: number): void {
  let bytes = 0;
  socket.on('message', (data: RawData) => {
    bytes += (data as Buffer).length;
    if (bytes >= up * KILOBYTE) socket.send('all');
  });
  if (down > 0) sendAll(socket, Array<Buffer>(down).fill(BODY));
}

function serveChannel(socket: WebSocket, down: number): void {
  // Made before the client's clock starts, which is when it sees the first.
  const frames = Array.from({ length: down }, (_, index) => output(index + 1, BODY));
  socket.once('message', () => {
    socket.send(output(0, Buffer.from('$')));
    sendAll(socket, frames);
    socket.on('message', (data: RawData) => {
      const frame = data as Buffer;
      if (frame.toString('latin1', 4, 9) === 'input') socket.send(acknowledgement(Number(frame.readBigInt64BE(48))));
    });
  });
}

const server = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
server.on('connection', (socket, { url = '' }) => {
  const { pathname, searchParams } = new URL(url, 'ws://peer');
  const [down, up] = ['down', 'up'].map((name) => Number(searchParams.get(name) ?? 0)) as [number, number];
  if (pathname === '/bare') serveBare(socket, down, up);
  else serveChannel(socket, down);
});
server.on('listening', () => process.send?.((server.address() as AddressInfo).port));
process.on('disconnect', () => process.exit());
