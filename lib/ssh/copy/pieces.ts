import { mapBounded } from '../../util/bounded';

/** The number of pieces in flight for one file, and a piece's size in bytes; together OpenSSH's channel window of 2 MiB. */
const PIECES_AT_ONCE = 32;
export const PIECE_BYTES = 64 * 1024;

/**
 * Copies one file in pieces, several at a time, so that latency doesn't limit the speed. `copyPiece` copies the piece at a
 * position and returns its length in bytes. The first short piece is the end of the file, even if it comes before
 * `expectedSize`.
 */
export async function inPieces(expectedSize: number, copyPiece: (position: number) => Promise<number>): Promise<void> {
  const workers = Math.min(PIECES_AT_ONCE, Math.floor(expectedSize / PIECE_BYTES) + 1);
  let next = 0;
  let ended = false;
  await mapBounded(Array.from({ length: workers }), workers, async () => {
    while (!ended) {
      const position = next;
      next += PIECE_BYTES;
      const length = await copyPiece(position).catch((error: unknown) => {
        ended = true;
        throw error;
      });
      if (length < PIECE_BYTES) ended = true;
    }
  });
}

/** Fills a piece with as many reads as it takes, since a read may return less. It is short only at the end of the file. */
export async function readFully(
  piece: Buffer,
  read: (rest: Buffer, offset: number) => Promise<number>,
): Promise<number> {
  let length = 0;
  while (length < piece.length) {
    const bytes = await read(piece.subarray(length), length);
    if (bytes === 0) break;
    length += bytes;
  }
  return length;
}
