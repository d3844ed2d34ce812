import { PassThrough } from 'node:stream';
import type { WebSocket } from 'ws';
import * as z from 'zod';
import { isSandboxError } from '../../model/errors';
import type { SandboxService } from '../../model/service';
import { hasEnded } from '../../model/types';
import type { Caller } from '../../model/types';
import { asSandboxError } from '../errors';
import { KEEP_ALIVE_COMMENT_MS } from '../limits';
import { terminalSize } from '../schemas/event';
import { validated } from '../validation';
import { endView } from '../views/event-view';

/** The event whose terminal a socket shows, and from which byte on. */
export interface TerminalPlace {
  readonly caller: Caller;
  readonly id: string;
  readonly seq: number;
  readonly from: number;
}

const resize = terminalSize.extend({ type: z.literal('resize') });

/** So long, in milliseconds, the end of a command may come after that of its input. */
const END_MS = 2_000;
/** RFC 6455, section 7.4.1, and its registry: 1012 tells a client to come again. */
const CLOSE = { ended: 1000, broken: 1011, comeAgain: 1012 } as const;

/**
 * Joins a socket with a command's terminal until one of them ends: binary frames are bytes, text frames are JSON. From the
 * client `{"type":"resize","cols","rows"}`; to it `started`, `gap`, `error` and, at the end, `exit`. Returns whether the command
 * has ended. The command goes on without the socket.
 */
export async function joinTerminal(service: SandboxService, socket: WebSocket, place: TerminalPlace): Promise<boolean> {
  const controller = new AbortController();
  const { signal } = controller;
  socket.once('close', () => controller.abort(new Error('the client closed the terminal')));
  socket.on('error', () => socket.terminate());
  const stopPinging = pingedUntilGone(socket);
  try {
    takeInput(service, socket, place, signal);
    return await sendOutput(service, socket, place, signal);
  } catch (error) {
    if (!signal.aborted) closeBecause(socket, error);
    return false;
  } finally {
    stopPinging();
    controller.abort(new Error('the terminal has ended'));
  }
}

async function sendOutput(service: SandboxService, socket: WebSocket, place: TerminalPlace, signal: AbortSignal) {
  const { caller, id, seq, from } = place;
  await send(socket, { type: 'started', seq, offset: from });
  for await (const piece of service.output(caller, id, seq, { from, signal })) {
    switch (piece.type) {
      case 'stdout':
      case 'stderr':
        await send(socket, piece.bytes);
        break;
      case 'gap':
        await send(socket, piece);
        break;
      case 'exit': {
        const { status, result } = piece.event;
        const end = result === null ? {} : endView(result);
        await send(socket, { type: 'exit', seq, offset: piece.offset, status, ...end });
        socket.close(CLOSE.ended);
        return true;
      }
    }
  }
  socket.close(CLOSE.comeAgain);
  return false;
}

/** Waits until the socket has taken it: a slow client slows its own reader alone. */
function send(socket: WebSocket, what: Buffer | object): Promise<void> {
  const data = Buffer.isBuffer(what) ? what : JSON.stringify(what);
  return new Promise((resolve, reject) => {
    socket.send(data, (error) => (error ? reject(error) : resolve()));
  });
}

function takeInput(service: SandboxService, socket: WebSocket, place: TerminalPlace, signal: AbortSignal): void {
  const { caller, id, seq } = place;
  const input = new PassThrough();
  signal.addEventListener('abort', () => input.destroy(), { once: true });
  input.on('error', () => undefined);
  service.stdin(caller, id, seq, input, { close: false, signal }).catch(async (error: unknown) => {
    // A command that ends cuts its input off; the output says that it has ended.
    if (signal.aborted || (isSandboxError(error) && error.code === 'event_ended')) return;
    const event = await service.event(caller, id, seq, { waitMs: END_MS, signal }).catch(() => undefined);
    if (!signal.aborted && (event === undefined || !hasEnded(event))) closeBecause(socket, error);
  });
  const write = (data: Buffer): void => {
    if (input.destroyed || input.write(data)) return;
    socket.pause();
    input.once('drain', () => socket.resume());
  };
  // What is typed after a change of size comes after it: a program may ask for the size at once.
  const frames = new Frames();
  socket.on('message', (data: Buffer, isBinary) => {
    if (!isBinary) frames.take(() => control(service, socket, place, data.toString()));
    else if (frames.areWaiting) frames.take(async () => write(data));
    else write(data);
  });
}

/** Does one thing after the other. None of them may throw. */
class Frames {
  private last: Promise<void> = Promise.resolve();
  private waiting = 0;

  get areWaiting(): boolean {
    return this.waiting > 0;
  }

  take(work: () => Promise<void>): void {
    this.waiting += 1;
    this.last = this.last.then(work).finally(() => {
      this.waiting -= 1;
    });
  }
}

/** A text frame. One that is wrong is answered, and changes nothing. */
async function control(service: SandboxService, socket: WebSocket, place: TerminalPlace, text: string): Promise<void> {
  try {
    const { cols, rows } = validated(resize, parsed(text), 'the frame');
    await service.resize(place.caller, place.id, place.seq, { cols, rows });
  } catch (error) {
    const { code, message } = asSandboxError(error);
    if (code !== 'event_ended')
      await send(socket, { type: 'error', error: code, detail: message }).catch(() => undefined);
  }
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

function closeBecause(socket: WebSocket, error: unknown): void {
  const known = asSandboxError(error);
  const passes = known.status === 503;
  if (!passes)
    socket.send(JSON.stringify({ type: 'error', error: known.code, detail: known.message }), () => undefined);
  socket.close(passes ? CLOSE.comeAgain : CLOSE.broken, known.code);
}

/** Ends a socket whose other end answers no ping. */
function pingedUntilGone(socket: WebSocket): () => void {
  let answered = true;
  socket.on('pong', () => {
    answered = true;
  });
  const timer = setInterval(() => {
    if (!answered) socket.terminate();
    answered = false;
    if (socket.readyState === socket.OPEN) socket.ping(() => undefined);
  }, KEEP_ALIVE_COMMENT_MS);
  return () => clearInterval(timer);
}
