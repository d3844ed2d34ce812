import fc from 'fast-check';
import { OutputText } from '../../../lib/sandbox/http/output-text';
import type { TextPiece } from '../../../lib/sandbox/http/output-text';

const bytesOf = ({ data }: TextPiece): Buffer =>
  'text' in data ? Buffer.from(data.text) : Buffer.from(data.b64, 'base64');

interface Written {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

/** The pieces that a reader gets of what was written, and where it may go on after each. */
function read(written: readonly Written[]): TextPiece[] {
  const text = new OutputText();
  let offset = 0;
  const pieces = written.flatMap(({ stream, bytes }) => {
    const made = text.push(stream, offset, bytes);
    offset += bytes.length;
    return made;
  });
  return [...pieces, ...text.flush()];
}

const written = (bytes: fc.Arbitrary<Uint8Array>): fc.Arbitrary<Written[]> =>
  fc.array(
    fc.record({
      stream: fc.constantFrom('stdout' as const, 'stderr' as const),
      bytes: bytes.map((value) => Buffer.from(value)),
    }),
  );

const anyBytes = fc.oneof(
  fc.uint8Array({ minLength: 1, maxLength: 12 }),
  fc.string({ unit: 'binary', minLength: 1 }).map((text) => new Uint8Array(Buffer.from(text))),
);

describe('output as text', () => {
  test('every byte comes once, in order, and each piece says where it ends', () => {
    fc.assert(
      fc.property(written(anyBytes), (writes) => {
        const all = Buffer.concat(writes.map(({ bytes }) => bytes));
        const pieces = read(writes);
        let at = 0;
        for (const piece of pieces) {
          const bytes = bytesOf(piece);
          expect(all.subarray(at, at + bytes.length)).toEqual(bytes);
          at += bytes.length;
          expect(piece.next).toBe(at);
        }
        expect(at).toBe(all.length);
      }),
    );
  });

  test('UTF-8 that is cut anywhere stays text', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme' }), fc.array(fc.nat({ max: 40 })), (content, cuts) => {
        const all = Buffer.from(content);
        const ends = [...cuts.filter((cut) => cut < all.length), all.length].sort((a, b) => a - b);
        const writes = ends.map((end, index) => ({
          stream: 'stdout' as const,
          bytes: all.subarray(ends[index - 1] ?? 0, end),
        }));
        const pieces = read(writes.filter(({ bytes }) => bytes.length > 0));
        expect(pieces.map(({ data }) => ('text' in data ? data.text : 'b64')).join('')).toBe(content);
      }),
    );
  });

  test('text is never a replacement for bytes', () => {
    fc.assert(
      fc.property(written(fc.uint8Array({ minLength: 1, maxLength: 6 })), (writes) => {
        for (const piece of read(writes)) {
          if ('text' in piece.data) expect(Buffer.from(piece.data.text).includes('\ufffd')).toBe(false);
        }
      }),
    );
  });

  test('a cut character does not wait behind the other stream', () => {
    const text = new OutputText();
    expect(text.push('stdout', 0, Buffer.from([0xe2, 0x82]))).toEqual([]);
    expect(text.holds).toBe(true);
    expect(text.push('stderr', 2, Buffer.from('x'))).toEqual([
      { stream: 'stdout', next: 2, data: { b64: '4oI=' } },
      { stream: 'stderr', next: 3, data: { text: 'x' } },
    ]);
  });
});
