import * as fc from 'fast-check';
import { EventParser } from '../../../lib/sandbox/client/server-sent-events';
import type { ServerSentEvent } from '../../../lib/sandbox/client/server-sent-events';

const parse = (...pieces: Uint8Array[]): ServerSentEvent[] => {
  const parser = new EventParser();
  return pieces.flatMap((piece) => parser.push(piece));
};

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

const line = fc.string({ unit: 'grapheme' }).filter((text) => !/[\r\n]/.test(text));
const sent = fc.record({
  event: line.filter((text) => text !== ''),
  data: fc.array(line, { minLength: 1, maxLength: 3 }),
  id: fc.option(
    line.filter((text) => !text.includes('\u0000')),
    { nil: undefined },
  ),
});

test('every event comes out as it was sent, whatever its line ends and however the stream is cut', () => {
  fc.assert(
    fc.property(
      fc.array(sent),
      fc.constantFrom('\n', '\r\n', '\r'),
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      (list, end, sizes) => {
        const text = list
          .map(({ event, data, id }) =>
            [
              ': a comment',
              `event: ${event}`,
              ...data.map((part) => `data: ${part}`),
              ...(id === undefined ? [] : [`id: ${id}`]),
              '',
              '',
            ].join(end),
          )
          .join('');
        // A CR that comes last may be the half of an end of line.
        const all = bytes(`${text}:`);
        const pieces: Uint8Array[] = [];
        for (let at = 0, turn = 0; at < all.length; turn += 1) {
          const size = sizes[turn % sizes.length] ?? 1;
          pieces.push(all.subarray(at, at + size));
          at += size;
        }
        expect(parse(...pieces)).toEqual(list.map(({ event, data, id }) => ({ event, data: data.join('\n'), id })));
      },
    ),
  );
});

test.each([
  ['an event without its empty line is none', 'data: half\n', []],
  ['a byte order mark is no text', '\ufeffdata: x\n\n', [{ event: 'message', data: 'x', id: undefined }]],
  [
    'an id holds for its own event',
    'id: 7\ndata: a\n\ndata: b\n\n',
    [
      { event: 'message', data: 'a', id: '7' },
      { event: 'message', data: 'b', id: undefined },
    ],
  ],
  ['an event without data is none', 'event: ping\n\n', []],
  [
    'fields that nobody knows are left out',
    'retry: 5\nx: y\ndata\n\n',
    [{ event: 'message', data: '', id: undefined }],
  ],
])('%s', (_name, text, expected) => {
  expect(parse(bytes(text))).toEqual(expected);
});

test('a stream without an end of line is not kept for ever', () => {
  const parser = new EventParser();
  const piece = new Uint8Array(8 * 1024 * 1024).fill(120);
  expect(() => Array.from({ length: 5 }, () => parser.push(piece))).toThrow('an event of the stream is too long');
});
