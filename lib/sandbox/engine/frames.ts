import type { Frame } from '../../contract/sandboxd';
import { decodeFrameHeader, FRAME_HEADER_BYTES } from '../../contract/sandboxd';
import { SandboxError } from '../model/errors';

/** No engine sends longer ones. */
const LONGEST_PAYLOAD = 16 * 1024 * 1024;

/** Splits bytes, in whatever parts they come, into frames. */
export class FrameReader {
  private rest: Buffer = Buffer.alloc(0);

  /** The frames that are complete with these bytes. Throws `session_unavailable` for bytes that aren't a frame. */
  push(bytes: Buffer): Frame[] {
    const data = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    const frames: Frame[] = [];
    let at = 0;
    while (at + FRAME_HEADER_BYTES <= data.length) {
      const { type, offset, length } = decodeFrameHeader(data, at);
      if (length > LONGEST_PAYLOAD) {
        throw new SandboxError('session_unavailable', `sandboxd sent a frame of ${length} bytes, which it never does`);
      }
      const end = at + FRAME_HEADER_BYTES + length;
      if (end > data.length) break;
      frames.push({ type, offset, payload: data.subarray(at + FRAME_HEADER_BYTES, end) });
      at = end;
    }
    this.rest = data.subarray(at);
    return frames;
  }
}
