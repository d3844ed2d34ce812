import type { Readable } from 'node:stream';

/** Bytes that a stream of a session keeps ready for its reader. */
export const READ_AHEAD_BYTES = 64 * 1024;

/** Bytes that a stream holds beyond its read-ahead. Once its reader has taken them, the stream asks for more. */
export const excessOf = (stream: Readable): number =>
  stream.destroyed ? 0 : Math.max(0, stream.readableLength - stream.readableHighWaterMark);
