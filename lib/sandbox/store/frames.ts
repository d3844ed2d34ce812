import { decodeFrameHeader, encodeFrame, FRAME, FRAME_HEADER_BYTES } from '../../contract/sandboxd';
import type { EnginePiece } from '../engine/engine-client';

type LogPiece = Exclude<EnginePiece, { readonly type: 'alive' | 'end' }>;

/** One piece of output as a frame (lib/contract/sandboxd.ts). */
export function frameOf(piece: LogPiece): Buffer {
  const payload = piece.type === 'gap' ? Buffer.from(String(piece.length)) : piece.bytes;
  return encodeFrame(FRAME[piece.type], piece.offset, payload);
}

const TYPES = new Map<number, LogPiece['type']>([
  [FRAME.stdout, 'stdout'],
  [FRAME.stderr, 'stderr'],
  [FRAME.gap, 'gap'],
]);

/** The pieces of a stored log. A frame that is cut or unknown ends it. */
export function* piecesOf(log: Buffer): Generator<LogPiece> {
  for (let at = 0; at + FRAME_HEADER_BYTES <= log.length;) {
    const { type: number, offset, length } = decodeFrameHeader(log, at);
    const type = TYPES.get(number);
    const end = at + FRAME_HEADER_BYTES + length;
    if (type === undefined || end > log.length) return;
    const payload = log.subarray(at + FRAME_HEADER_BYTES, end);
    if (type === 'gap') yield { type, offset, length: Number(payload.toString()) };
    else yield { type, offset, bytes: payload };
    at = end;
  }
}

/** What a log has of each stream. */
export function streamsOf(log: Buffer): { readonly stdout: Buffer; readonly stderr: Buffer; readonly dropped: number } {
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  let dropped = 0;
  for (const piece of piecesOf(log)) {
    if (piece.type === 'gap') dropped += piece.length;
    else (piece.type === 'stdout' ? stdout : stderr).push(piece.bytes);
  }
  return { stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), dropped };
}

/** The pieces from an offset on: what lies before it is left out. */
export function* piecesFrom(pieces: Iterable<LogPiece>, from: number): Generator<LogPiece> {
  for (const piece of pieces) {
    const length = piece.type === 'gap' ? piece.length : piece.bytes.length;
    const skip = Math.max(0, from - piece.offset);
    if (skip >= length && length > 0) continue;
    if (skip === 0) yield piece;
    else if (piece.type === 'gap') yield { ...piece, offset: from, length: length - skip };
    else yield { ...piece, offset: from, bytes: piece.bytes.subarray(skip) };
  }
}
