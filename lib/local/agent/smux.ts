/** Bytes of a frame's header: version, command, length and stream id, both little-endian. */
const HEADER = 8;
const VERSION = 1;
const COMMAND = { open: 0, finish: 1, push: 2, nop: 3 } as const;
/** Bytes of data in one frame. */
export const MAX_FRAME_DATA = 32_768;

/** What happens on the streams of a multiplexed connection. */
export interface MuxEvents {
  opened(streamId: number): void;
  data(streamId: number, data: Buffer): void;
  /** The client has stopped sending on this stream. */
  finished(streamId: number): void;
}

/** The bytes aren't frames of smux version 1. */
export class MuxError extends Error {
  override readonly name = 'MuxError';
}

/** Reads smux version 1 from a byte stream that may be cut anywhere. */
export class MuxReader {
  private rest: Buffer = Buffer.alloc(0);

  constructor(private readonly events: MuxEvents) {}

  /** Throws MuxError; nothing more can be read then. */
  push(bytes: Buffer): void {
    this.rest = this.rest.length === 0 ? bytes : Buffer.concat([this.rest, bytes]);
    while (this.rest.length >= HEADER) {
      const [version, command] = this.rest;
      const length = this.rest.readUInt16LE(2);
      if (version !== VERSION) throw new MuxError(`version ${version} is not ${VERSION}`);
      if (this.rest.length < HEADER + length) return;
      const streamId = this.rest.readUInt32LE(4);
      const data = this.rest.subarray(HEADER, HEADER + length);
      this.rest = this.rest.subarray(HEADER + length);
      this.take(command, streamId, data);
    }
  }

  private take(command: number | undefined, streamId: number, data: Buffer): void {
    if (command === COMMAND.open) this.events.opened(streamId);
    else if (command === COMMAND.push) this.events.data(streamId, data);
    else if (command === COMMAND.finish) this.events.finished(streamId);
    else if (command !== COMMAND.nop) throw new MuxError(`there is no command ${command}`);
  }
}

const frame = (command: number, streamId: number, data: Buffer = Buffer.alloc(0)): Buffer => {
  const header = Buffer.alloc(HEADER);
  header[0] = VERSION;
  header[1] = command;
  header.writeUInt16LE(data.length, 2);
  header.writeUInt32LE(streamId, 4);
  return Buffer.concat([header, data]);
};

/** Data of at most MAX_FRAME_DATA bytes on a stream. */
export const pushFrame = (streamId: number, data: Buffer): Buffer => frame(COMMAND.push, streamId, data);
export const finishFrame = (streamId: number): Buffer => frame(COMMAND.finish, streamId);
export const nopFrame = (): Buffer => frame(COMMAND.nop, 0);
