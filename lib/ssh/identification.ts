import { printable } from '../util/printable';

/** RFC 4253 section 4.2: the server may send other lines first; the line that counts starts with `SSH-`. */
const PREFIX = 'SSH-';
/** The most bytes that a peer may send before it identifies itself. The limit is our own. */
const MAX_GREETING_BYTES = 64 * 1024;
/** Also in section 4.2: at most 255 bytes including CR and LF, all printable US-ASCII. */
const MAX_IDENTIFICATION_BYTES = 255;
const IDENTIFICATION = /^SSH-(?:2\.0|1\.99)-[\x20-\x7e]*$/;

/** Thrown if the bytes can't be the beginning of an SSH connection. */
export class NotSshError extends Error {
  override readonly name = 'NotSshError';
}

/**
 * Returns the SSH identification line in what a server has sent so far, without its line break; undefined if it isn't
 * complete yet. Throws NotSshError if no such line can follow.
 */
export function identificationIn(received: Buffer): string | undefined {
  let start = 0;
  for (;;) {
    const end = received.indexOf(0x0a, start);
    if (end === -1) break;
    const line = received.subarray(start, end).toString('latin1').replace(/\r$/, '');
    if (line.startsWith(PREFIX)) {
      if (end + 1 - start > MAX_IDENTIFICATION_BYTES)
        throw new NotSshError(`the server's SSH identification is longer than ${MAX_IDENTIFICATION_BYTES} bytes`);
      if (!IDENTIFICATION.test(line))
        throw new NotSshError(`the server speaks ${printable(JSON.stringify(line))}, not SSH 2`);
      return line;
    }
    start = end + 1;
  }
  if (received.length > MAX_GREETING_BYTES)
    throw new NotSshError('the server sent 64 KiB without identifying itself as SSH');
  return undefined;
}
