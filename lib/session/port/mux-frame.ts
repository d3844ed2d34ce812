/** Commands of smux, version 1. */
export const MUX = { syn: 0, fin: 1, psh: 2, nop: 3 } as const;

const VERSION = 1;
/** Bytes. */
const HEADER_LENGTH = 8;
/** The longest payload that either side may send in a frame. Bytes. */
export const LONGEST_FRAME = 32_768;

export interface MuxFrame {
  readonly command: number;
  readonly stream: number;
  readonly payload: Buffer;
}

export function encodeMuxFrame({ command, stream, payload }: MuxFrame): Buffer {
  const frame = Buffer.alloc(HEADER_LENGTH + payload.length);
  frame.writeUInt8(VERSION, 0);
  frame.writeUInt8(command, 1);
  frame.writeUInt16LE(payload.length, 2);
  frame.writeUInt32LE(stream, 4);
  payload.copy(frame, HEADER_LENGTH);
  return frame;
}

const NOTHING: Buffer = Buffer.alloc(0);

/** Finds the frames in a stream of bytes that is cut anywhere. */
export class MuxDecoder {
  private rest: Buffer = NOTHING;

  /** The frames that are complete now. Throws for bytes that no frame of this version begins with. */
  push(bytes: Buffer): MuxFrame[] {
    const all = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const frames: MuxFrame[] = [];
    let offset = 0;
    while (all.length - offset >= HEADER_LENGTH) {
      if (all[offset] !== VERSION)
        throw new Error(`a multiplexed stream of version ${all[offset]} instead of ${VERSION}`);
      const length = all.readUInt16LE(offset + 2);
      const end = offset + HEADER_LENGTH + length;
      if (end > all.length) break;
      const payload = all.subarray(offset + HEADER_LENGTH, end);
      frames.push({ command: all.readUInt8(offset + 1), stream: all.readUInt32LE(offset + 4), payload });
      offset = end;
    }
    this.rest = all.subarray(offset);
    return frames;
  }
}
