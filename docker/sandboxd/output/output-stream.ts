import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import type { CommandStatus } from '../../../lib/contract/sandboxd';
import { decodeFrameHeader, encodeFrame, FRAME, FRAME_HEADER_BYTES } from '../../../lib/contract/sandboxd';
import type { OutputLog, Piece, Stream } from './output-log';

/** How much of a log is read at once for a reader who is behind. */
const READ_BYTES = 256 * 1024;
/** Of a frame that is joined from several reads. */
const FRAME_BYTES = 128 * 1024;
const ALIVE_MS = 15_000;

export interface Followed {
  readonly log: OutputLog;
  /** The command's status once it has ended. */
  ended(): CommandStatus | undefined;
  status(): CommandStatus;
  /** Calls back when it has ended. Returns what ends that. */
  onEnd(callback: () => void): () => void;
}

/**
 * Sends the frames of a command's output from an offset on, then the end frame. A reader who keeps up gets bytes as they are
 * read from the pipe; one who doesn't reads from the disk, and costs no memory. With `follow` off it stops at what there is.
 */
export async function sendOutput(
  command: Followed,
  to: Writable,
  { from, follow }: { readonly from: number; readonly follow: boolean },
): Promise<void> {
  const { log } = command;
  let at = from;
  let wake = (): void => undefined;
  let live = false;
  let idle = true;
  const pending = new Pending(to);
  const onBytes = (stream: Stream, offset: number, bytes: Buffer): void => {
    idle = false;
    if (!live || offset !== at) return wake();
    at += bytes.length;
    pending.add(stream, offset, bytes);
    if (!to.writableNeedDrain) return;
    live = false;
    wake();
  };
  const onWake = (): void => wake();
  const undo = [log.onAppend(onBytes), command.onEnd(onWake)];
  to.on('close', onWake).on('drain', onWake);
  const beat = setInterval(() => {
    pending.flush();
    if (idle && !to.destroyed) to.write(encodeFrame(FRAME.alive, at, Buffer.alloc(0)));
    idle = true;
  }, ALIVE_MS);
  try {
    while (!to.destroyed) {
      pending.flush();
      const woken = new Promise<void>((resolve) => (wake = resolve));
      if (to.writableNeedDrain) {
        await woken;
        continue;
      }
      if (at < log.offset) {
        at = await sendKept(log, at, to);
        continue;
      }
      const status = follow ? command.ended() : command.status();
      if (status !== undefined) {
        to.end(encodeFrame(FRAME.end, at, Buffer.from(JSON.stringify(status))));
        return;
      }
      live = true;
      await woken;
      live = false;
    }
  } finally {
    clearInterval(beat);
    for (const end of undo) end();
    to.off('close', onWake).off('drain', onWake);
  }
}

/** Joins what is read in one turn of the event loop into few frames and one write. */
class Pending {
  private stream: Stream = 'stdout';
  private start = 0;
  private parts: Buffer[] = [];
  private size = 0;
  private timer: NodeJS.Immediate | undefined;

  constructor(private readonly to: Writable) {}

  add(stream: Stream, offset: number, bytes: Buffer): void {
    if (this.size > 0 && (stream !== this.stream || this.size + bytes.length > FRAME_BYTES)) this.flush();
    if (this.size === 0) [this.stream, this.start] = [stream, offset];
    // The bytes are only there for the time of the call.
    this.parts.push(Buffer.from(bytes));
    this.size += bytes.length;
    this.timer ??= setImmediate(() => this.flush());
  }

  flush(): void {
    if (this.timer !== undefined) clearImmediate(this.timer);
    this.timer = undefined;
    if (this.size === 0) return;
    const [only] = this.parts;
    const bytes = this.parts.length === 1 && only !== undefined ? only : Buffer.concat(this.parts, this.size);
    this.parts = [];
    this.size = 0;
    sendFrame(this.to, FRAME[this.stream], this.start, bytes);
  }
}

function sendFrame(to: Writable, type: number, offset: number, bytes: Buffer): boolean {
  if (to.destroyed) return false;
  return to.write(encodeFrame(type, offset, bytes));
}

/** Sends what is on disk from an offset on, up to the end of one file or until the reader must be waited for. */
async function sendKept(log: OutputLog, from: number, to: Writable): Promise<number> {
  const piece = log.pieces.find(({ start, end }) => end > from && end > start);
  if (piece === undefined) return sendGap(to, from, log.offset);
  if (piece.start > from) return sendGap(to, from, piece.start);
  let file: FileHandle;
  try {
    file = await open(piece.file, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    // Dropped in this moment: the next look finds the gap.
    return from;
  }
  try {
    return await sendPiece(file, piece, from, to);
  } finally {
    await file.close();
  }
}

function sendGap(to: Writable, from: number, end: number): number {
  to.write(encodeFrame(FRAME.gap, from, Buffer.from(String(end - from))));
  return end;
}

async function sendPiece(file: FileHandle, piece: Piece, from: number, to: Writable): Promise<number> {
  let at = from;
  const buffer = Buffer.allocUnsafe(READ_BYTES);
  let position = 0;
  while (at < piece.end && !to.destroyed) {
    const wanted = Math.min(READ_BYTES, piece.size - position);
    const { bytesRead } = await file.read(buffer, 0, wanted, position);
    if (bytesRead < FRAME_HEADER_BYTES) break;
    let used = 0;
    while (used + FRAME_HEADER_BYTES <= bytesRead) {
      const { type, offset, length } = decodeFrameHeader(buffer, used);
      const start = used + FRAME_HEADER_BYTES;
      const has = Math.min(length, bytesRead - start);
      if (type !== 0 && offset + length > at) {
        // Only the part that is here, and not yet sent; the rest of a long frame is read next.
        const skip = Math.max(0, at - offset);
        if (skip >= has && has < length) break;
        sendFrame(to, type, offset + skip, Buffer.from(buffer.subarray(start + skip, start + has)));
        at = offset + has;
      }
      if (has < length) break;
      used = start + length;
    }
    if (used === 0) return sendLongFrame(file, position, at, to);
    position += used;
    if (to.writableNeedDrain) await drained(to);
  }
  return at;
}

/** A frame that is longer than the buffer, part by part. */
async function sendLongFrame(file: FileHandle, position: number, from: number, to: Writable): Promise<number> {
  const head = Buffer.alloc(FRAME_HEADER_BYTES);
  await file.read(head, 0, FRAME_HEADER_BYTES, position);
  const { type, offset, length } = decodeFrameHeader(head);
  const end = offset + length;
  let at = Math.max(from, offset);
  while (at < end && !to.destroyed) {
    const part = Buffer.allocUnsafe(Math.min(READ_BYTES, end - at));
    const { bytesRead } = await file.read(part, 0, part.length, position + FRAME_HEADER_BYTES + at - offset);
    if (bytesRead === 0) break;
    sendFrame(to, type, at, part.subarray(0, bytesRead));
    at += bytesRead;
    if (to.writableNeedDrain) await drained(to);
  }
  return at;
}

const drained = (to: Writable): Promise<void> =>
  new Promise((resolve) => {
    const done = (): void => {
      to.off('drain', done).off('close', done);
      resolve();
    };
    to.on('drain', done).on('close', done);
    if (to.destroyed || !to.writableNeedDrain) done();
  });
