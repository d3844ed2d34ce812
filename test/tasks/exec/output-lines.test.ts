import fc from 'fast-check';
import { WrapperOutput } from '../../../lib/tasks/exec/output-lines';
import type { OutputStream } from '../../../lib/tasks/exec/output-lines';

const MARKER = '0123456789abcdef';
const TAG = ':gh';

const line = fc.record({
  stream: fc.constantFrom<OutputStream>('stdout', 'stderr'),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 57 }),
});
const noise = fc.string({ maxLength: 40 }).map((text) => text.replaceAll(TAG, ''));

describe("the wrapper script's output", () => {
  it('is found whole however it is cut, between noise and with either line end', () => {
    const pieces = fc.array(fc.oneof(line, noise), { maxLength: 40 });
    fc.assert(
      fc.property(
        pieces,
        fc.boolean(),
        fc.constantFrom('\n', '\r\n'),
        fc.integer({ min: 1, max: 99 }),
        (all, hex, end, cut) => {
          const counts = { stdout: 0, stderr: 0 };
          const text = [`${MARKER} s ${hex ? 'x' : 'b'}b;`];
          for (const piece of all) {
            if (typeof piece === 'string') text.push(piece + end);
            else {
              counts[piece.stream] += 1;
              const bytes = Buffer.from(piece.bytes);
              text.push(
                `${TAG}${piece.stream === 'stdout' ? 'o' : 'e'}${bytes.toString(hex ? 'hex' : 'base64')};${end}`,
              );
            }
          }
          text.push(`${TAG}o. ${counts.stdout};`, `${TAG}e. ${counts.stderr};`, `${MARKER} x 7;`);
          const wire = Buffer.from(text.join(''));
          const output = new WrapperOutput(MARKER, TAG);
          const events = [];
          for (let at = 0; at < wire.length; at += cut) events.push(...output.push(wire.subarray(at, at + cut)));

          for (const stream of ['stdout', 'stderr'] as const) {
            const found = events.flatMap((event) =>
              event.kind === 'output' && event.stream === stream ? [event.bytes] : [],
            );
            const sent = all.flatMap((piece) =>
              typeof piece !== 'string' && piece.stream === stream ? [piece.bytes] : [],
            );
            expect(Buffer.concat(found)).toEqual(Buffer.concat(sent));
            expect(events).toContainEqual({ kind: 'output-end', stream, complete: true });
          }
          expect(events.at(-1)).toEqual({ kind: 'exit', status: 7, bySignal: false });
        },
      ),
    );
  });

  it('is known to be damaged when a line is missing', () => {
    const output = new WrapperOutput(MARKER, TAG);
    const events = [...output.push(Buffer.from(`${TAG}oQUJD;\n${TAG}o. 2;\n`))];
    expect(events.at(-1)).toEqual({ kind: 'output-end', stream: 'stdout', complete: false });
  });

  it('is not waited for in a line without an end', () => {
    const output = new WrapperOutput(MARKER, TAG);
    for (let round = 0; round < 1000; round++) expect([...output.push(Buffer.alloc(1024, 'g'))]).toEqual([]);
    expect([...output.push(Buffer.from(`\n${TAG}oQUJD;\n`))]).toEqual([
      { kind: 'output', stream: 'stdout', bytes: Buffer.from('ABC') },
    ]);
  });
});
