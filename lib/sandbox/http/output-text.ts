import { isUtf8 } from 'node:buffer';

/** A piece of a command's output, ready to be written: text where the bytes are UTF-8, else base64. */
export interface TextPiece {
  readonly stream: 'stdout' | 'stderr';
  /** Offset of the byte after it, where a reader goes on. */
  readonly next: number;
  readonly data: { readonly text: string } | { readonly b64: string };
}

/** The longest character of UTF-8 has four bytes, so at most three can be missing their rest. */
const MAX_TAIL = 3;

/**
 * Makes texts of pieces of output. A character that is cut by the end of a piece is held back until its rest comes; `flush`
 * gives it up as base64, when it took too long, or something else comes first: a reader that goes on from an offset must
 * have all bytes before it.
 */
export class OutputText {
  private held: { readonly stream: 'stdout' | 'stderr'; readonly offset: number; readonly bytes: Buffer } | undefined;

  get holds(): boolean {
    return this.held !== undefined;
  }

  /** The texts that are complete now, in order. */
  push(stream: 'stdout' | 'stderr', offset: number, bytes: Buffer): TextPiece[] {
    const { held } = this;
    const goesOn = held !== undefined && held.stream === stream && held.offset + held.bytes.length === offset;
    const before = goesOn ? [] : this.flush();
    const start = goesOn ? held.offset : offset;
    const all = goesOn ? Buffer.concat([held.bytes, bytes]) : bytes;
    this.held = undefined;
    const tail = isUtf8(all) ? 0 : tailLength(all);
    const whole = all.subarray(0, all.length - tail);
    if (!isUtf8(whole)) return [...before, piece(stream, start, all)];
    if (tail > 0) this.held = { stream, offset: start + whole.length, bytes: all.subarray(whole.length) };
    return whole.length === 0 ? before : [...before, piece(stream, start, whole)];
  }

  /** What is held back, as it is. */
  flush(): TextPiece[] {
    const { held } = this;
    this.held = undefined;
    return held === undefined ? [] : [piece(held.stream, held.offset, held.bytes)];
  }
}

const piece = (stream: 'stdout' | 'stderr', offset: number, bytes: Buffer): TextPiece => ({
  stream,
  next: offset + bytes.length,
  data: isUtf8(bytes) ? { text: bytes.toString('utf8') } : { b64: bytes.toString('base64') },
});

/** How many bytes at the end begin a character whose rest is missing. */
function tailLength(bytes: Buffer): number {
  for (let length = 1; length <= Math.min(MAX_TAIL, bytes.length); length++) {
    const byte = bytes[bytes.length - length] as number;
    if ((byte & 0b1100_0000) === 0b1000_0000) continue;
    const needed = byte >= 0xf0 && byte <= 0xf4 ? 4 : byte >= 0xe0 ? 3 : byte >= 0xc2 ? 2 : 1;
    return byte <= 0xf4 && needed > length ? length : 0;
  }
  return 0;
}
