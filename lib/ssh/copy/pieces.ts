import { mapBounded } from '../../util/bounded';

/** Pieces of one file under way at once, and the bytes of one: together OpenSSH's channel window of 2 MiB. */
const PIECES_AT_ONCE = 32;
export const PIECE_BYTES = 64 * 1024;

/**
 * Copies one file piece by piece, several at once, so that the distance to the host doesn't set the speed. `copyPiece`
 * copies the piece at a position and says how many bytes it had; the first short one is the file's end, whatever
 * `expectedSize` was.
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

/** Fills the piece from repeated reads, which may each come back short; less only at the end of the file. */
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
