import { printable } from '../util/printable';

/** RFC 4253 section 4.2: the server may send other lines first; the line that counts starts with `SSH-`. */
const PREFIX = 'SSH-';
/** Most bytes that a peer may send before it identifies itself: a limit of ours. */
const MAX_GREETING_BYTES = 64 * 1024;
/** Section 4.2 as well: at most 255 bytes with CR and LF, of printable US-ASCII. */
const MAX_IDENTIFICATION_BYTES = 255;
const IDENTIFICATION = /^SSH-(?:2\.0|1\.99)-[\x20-\x7e]*$/;

/** Thrown for bytes that cannot be the beginning of an SSH connection. */
export class NotSshError extends Error {
  override readonly name = 'NotSshError';
}

/**
 * The SSH identification line in what a server has sent so far, without its line break; undefined while it isn't
 * complete. Throws NotSshError when it can no longer come.
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
