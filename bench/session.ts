import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { WebSocket } from 'ws';
import type { CommandSession } from '../lib/session';
import { openSession } from '../lib/session';
import type { Bench, Row } from './support/bench';
import { bundleProgram } from './support/measure-in-process';
import { ROOT } from './support/paths';
import { duration, fastest, mebibytes } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

const MEBIBYTE = 1024 * 1024;
const STALL_BYTES = 256 * MEBIBYTE;
/** How long nobody reads, in milliseconds: many times what the socket's buffers need to fill. */
const STALL_MS = 3_000;
/** What a session keeps for a slow reader (docs/decisions/110). */
const KEPT_BYTES = 4 * MEBIBYTE;

type Direction = 'down' | 'up';
type Measure = (direction: Direction, bytes: number) => Promise<number>;

export const bench: Bench = {
  title: 'a session against the same bytes over a bare WebSocket',
  run: ({ quick, progress }) =>
    withTemporaryFolder(async (folder) => {
      const program = await bundleProgram(join(ROOT, 'bench', 'support', 'session-peer.ts'), folder);
      const peer = fork(program, { execArgv: [], env: { ...process.env, NODE_PATH: join(ROOT, 'node_modules') } });
      try {
        const [port] = (await once(peer, 'message')) as [number];
        const address = `ws://127.0.0.1:${port}`;
        const rows: Row[] = [];
        for (const bytes of quick ? [MEBIBYTE] : [MEBIBYTE, 100 * MEBIBYTE]) {
          for (const direction of ['down', 'up'] as const) {
            progress(`${mebibytes(bytes)} ${direction}`);
            rows.push(await compare(address, direction, bytes, quick ? 2 : 3));
          }
        }
        progress('a reader that stops');
        const held = await stalled(address);
        rows.push({
          what: 'held while nobody reads 256 MiB',
          measured: mebibytes(held),
          comparison: 'limit',
          against: mebibytes(KEPT_BYTES),
          ratio: held / KEPT_BYTES,
          aim: '≤ 1.25',
          met: held / KEPT_BYTES <= 1.25,
        });
        return {
          rows,
          notes: ['Messages of a kilobyte on both; the session also numbers, checks and acknowledges each of them.'],
        };
      } finally {
        peer.kill();
      }
    }),
};

async function compare(address: string, direction: Direction, bytes: number, rounds: number): Promise<Row> {
  const [floors, sessions]: [number[], number[]] = [[], []];
  const ways: readonly (readonly [number[], Measure])[] = [
    [floors, (...request) => bare(address, ...request)],
    [sessions, (...request) => channel(address, ...request)],
  ];
  for (let round = 0; round < rounds; round++)
    for (const [times, measure] of ways) times.push(await measure(direction, bytes));
  const [floor, session] = [fastest(floors), fastest(sessions)];
  return {
    what: `${mebibytes(bytes)} ${direction === 'down' ? 'from the task' : 'to the task'}`,
    measured: `${duration(session)}, ${(bytes / 1000 / session).toFixed(1)} MB/s`,
    comparison: 'floor',
    against: `bare WebSocket ${duration(floor)}`,
    ratio: session / floor,
  };
}

async function bare(address: string, direction: Direction, bytes: number): Promise<number> {
  const socket = new WebSocket(`${address}/bare?${direction}=${bytes / 1024}`, { perMessageDeflate: false });
  let received = 0;
  const done = new Promise<void>((resolve) => {
    socket.on('message', (data: Buffer, isBinary: boolean) => {
      received += data.length;
      if (!isBinary || received >= bytes) resolve();
    });
  });
  await once(socket, 'open');
  const started = performance.now();
  if (direction === 'up') await sendKilobytes(socket, bytes);
  await done;
  const took = performance.now() - started;
  socket.terminate();
  return took;
}

async function sendKilobytes(socket: WebSocket, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(1024, 'x');
  for (let sent = 0; sent < bytes; sent += chunk.length) {
    socket.send(chunk);
    if (socket.bufferedAmount > MEBIBYTE) await new Promise((resolve) => socket.send(Buffer.alloc(0), resolve));
  }
}

async function channel(address: string, direction: Direction, bytes: number): Promise<number> {
  const session = await open(`${address}/channel?${direction}=${bytes / 1024}`);
  await once(session.output, 'readable');
  const started = performance.now();
  if (direction === 'down') await receive(session, bytes);
  else await send(session, bytes);
  const took = performance.now() - started;
  session.output.destroy();
  await session.close();
  return took;
}

function open(streamUrl: string): Promise<CommandSession> {
  const grant = { sessionId: 'bench', tokenValue: 'token', streamUrl };
  return openSession({ request: { kind: 'command', grant }, clients: {} });
}

function receive({ output }: CommandSession, bytes: number): Promise<void> {
  let received = 0;
  return new Promise((resolve) => {
    output.on('data', (chunk: Buffer) => {
      received += chunk.length;
      if (received > bytes) resolve();
    });
  });
}

async function send({ input }: CommandSession, bytes: number): Promise<void> {
  const chunk = Buffer.alloc(64 * 1024, 'x');
  for (let sent = 0; sent < bytes; sent += chunk.length) if (!input.write(chunk)) await once(input, 'drain');
  await new Promise<void>((resolve) => input.end(resolve));
}

/** Bytes that a session holds for a reader that has stopped. */
async function stalled(address: string): Promise<number> {
  const session = await open(`${address}/channel?down=${STALL_BYTES / 1024}`);
  await once(session.output, 'readable');
  await new Promise((resolve) => setTimeout(resolve, STALL_MS));
  const held = session.output.readableLength;
  session.output.destroy();
  await session.close();
  return held;
}
