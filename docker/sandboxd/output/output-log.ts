import { closeSync, openSync, readdirSync, readFileSync, rmSync, writeSync, writevSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeFrameHeader,
  encodeFrame,
  encodeFrameHeader,
  FRAME,
  FRAME_HEADER_BYTES,
} from '../../../lib/contract/sandboxd';

export type Stream = 'stdout' | 'stderr';

/** First frame of every file of a log: what both streams had written before it, as JSON. Never sent to a reader. */
const TOTALS = 0;

/** A file of the log: frames that hold the bytes from `start` up to `end`. */
export interface Piece {
  readonly number: number;
  readonly file: string;
  readonly start: number;
  end: number;
  /** Bytes of the file itself, for readers of a piece that is still written. */
  size: number;
}

interface Totals {
  stdout: number;
  stderr: number;
}

export type Append = (stream: Stream, offset: number, bytes: Buffer) => void;

/**
 * The output of one command on disk: files `ID.NUMBER` of frames. The first half of the limit is kept for good, and of the
 * rest the last half: whole files are removed from the middle. It is written synchronously, in the same turn in which the
 * bytes are read from the pipe: what an engine that is killed has read, it has written, but for that one turn.
 */
export class OutputLog {
  readonly pieces: Piece[] = [];
  readonly totals: Totals = { stdout: 0, stderr: 0 };
  /** Where the output ends. */
  offset = 0;
  droppedBytes = 0;
  /** Why output is no longer kept, or undefined. */
  failure: string | undefined;
  private descriptor: number | undefined;
  private readonly appended = new Set<Append>();
  private readonly pieceLimit: number;
  private readonly half: number;

  constructor(
    private readonly folder: string,
    private readonly id: string,
    limit: number,
  ) {
    this.half = Math.max(1, Math.floor(limit / 2));
    this.pieceLimit = Math.max(1, Math.floor(this.half / 8));
  }

  /** The log of a command that an earlier engine had, as far as it was written. */
  static recover(folder: string, id: string, limit: number, end = 0): OutputLog {
    const log = new OutputLog(folder, id, limit);
    const numbers = readdirSync(folder)
      .filter((name) => name.startsWith(`${id}.`) && /^\d+$/.test(name.slice(id.length + 1)))
      .map((name) => Number(name.slice(id.length + 1)))
      .sort((left, right) => left - right);
    for (const number of numbers) log.recoverPiece(number);
    // What was removed to make room for others is a gap.
    log.offset = Math.max(log.offset, end);
    log.countDropped();
    return log;
  }

  append(stream: Stream, bytes: Buffer): void {
    if (bytes.length === 0) return;
    for (let done = 0; done < bytes.length;) {
      const room = this.room();
      const part = bytes.subarray(done, done + room);
      this.write(stream, part);
      done += part.length;
    }
  }

  /** Calls back with every byte from now on. Returns what ends that. */
  onAppend(callback: Append): () => void {
    this.appended.add(callback);
    return () => this.appended.delete(callback);
  }

  get keptBytes(): number {
    return this.offset - this.droppedBytes;
  }

  /** No more is written. Readers go on. */
  close(): void {
    if (this.descriptor !== undefined) closeSync(this.descriptor);
    this.descriptor = undefined;
  }

  /** Removes the output. Offsets stay: readers get one gap. */
  remove(): void {
    this.close();
    for (const piece of this.pieces.splice(0)) rmSync(piece.file, { force: true });
    this.countDropped();
  }

  /** Bytes that the present file may still take. */
  private room(): number {
    const last = this.pieces.at(-1);
    // After a restart a new file is begun: the last one may end with a frame that was cut off.
    if (last === undefined || (this.descriptor === undefined && this.failure === undefined)) return this.startPiece();
    // The first half is one run of pieces that end exactly at its end.
    const limit = last.start < this.half ? Math.min(this.pieceLimit, this.half - last.start) : this.pieceLimit;
    const left = limit - (last.end - last.start);
    // Headers count too, so that a program that writes single bytes fills no disk.
    return left > 0 && last.size < limit * 4 + 4096 ? left : this.startPiece();
  }

  private startPiece(): number {
    this.close();
    const number = (this.pieces.at(-1)?.number ?? -1) + 1;
    const file = join(this.folder, `${this.id}.${number}`);
    const piece: Piece = { number, file, start: this.offset, end: this.offset, size: 0 };
    this.pieces.push(piece);
    try {
      this.descriptor = openSync(file, 'wx', 0o600);
      const totals = Buffer.from(JSON.stringify(this.totals));
      writeSync(this.descriptor, encodeFrame(TOTALS, this.offset, totals));
      piece.size = FRAME_HEADER_BYTES + totals.length;
    } catch (error) {
      this.fail(error as Error);
    }
    this.dropMiddle();
    return piece.start < this.half ? Math.min(this.pieceLimit, this.half - piece.start) : this.pieceLimit;
  }

  private write(stream: Stream, bytes: Buffer): void {
    const piece = this.pieces.at(-1) as Piece;
    const offset = this.offset;
    if (this.descriptor !== undefined) {
      try {
        const head = encodeFrameHeader({ type: FRAME[stream], offset, length: bytes.length });
        const written = writevSync(this.descriptor, [head, bytes], piece.size);
        if (written < head.length + bytes.length) throw new Error('the disk is full');
        piece.size += written;
        piece.end += bytes.length;
      } catch (error) {
        this.fail(error as Error);
      }
    }
    this.offset += bytes.length;
    this.totals[stream] += bytes.length;
    if (this.failure !== undefined) this.countDropped();
    for (const callback of this.appended) callback(stream, offset, bytes);
  }

  /** A full or failing disk ends no command: what can't be kept from now on counts as dropped. */
  private fail(error: Error): void {
    this.failure ??= `output could not be kept: ${error.message}`;
    this.close();
  }

  private dropMiddle(): void {
    const tail = this.pieces.filter(({ start }) => start >= this.half);
    let bytes = tail.reduce((sum, { start, end }) => sum + end - start, 0);
    for (const piece of tail.slice(0, -1)) {
      if (bytes + this.pieceLimit <= this.half) break;
      bytes -= piece.end - piece.start;
      this.pieces.splice(this.pieces.indexOf(piece), 1);
      rmSync(piece.file, { force: true });
    }
    this.countDropped();
  }

  private countDropped(): void {
    this.droppedBytes = this.offset - this.pieces.reduce((sum, { start, end }) => sum + end - start, 0);
  }

  private recoverPiece(number: number): void {
    const file = join(this.folder, `${this.id}.${number}`);
    const data = readFileSync(file);
    let piece: Piece | undefined;
    for (let at = 0; at + FRAME_HEADER_BYTES <= data.length;) {
      const { type, offset, length } = decodeFrameHeader(data, at);
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > data.length) break;
      if (type === TOTALS) {
        Object.assign(this.totals, JSON.parse(data.toString('utf8', at + FRAME_HEADER_BYTES, end)));
        piece = { number, file, start: offset, end: offset, size: end };
        this.pieces.push(piece);
      } else if (piece !== undefined) {
        piece.end = offset + length;
        piece.size = end;
        this.totals[type === FRAME.stdout ? 'stdout' : 'stderr'] += length;
      }
      at = end;
    }
    if (piece === undefined) rmSync(file, { force: true });
    else this.offset = piece.end;
  }
}
