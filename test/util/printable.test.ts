import fc from 'fast-check';
import { jsonLine, printable, printableLines } from '../../lib/util/printable';

/** What terminals act on, and ordinary text around it. */
const SEQUENCES = [
  '\u001b]52;c;cm0gLXJmIC8=\u0007',
  '\u001b]0;title\u001b\\',
  '\u001b[2J\u001b[H',
  '\u009b31m',
  '\u009d8;;http://evil\u009c',
  '\u001bP1$r\u001b\\',
  '\u0085\u008d\u0090',
  '\r',
  '\b\b\b',
  '\u007f',
  '\u202eexe.txt',
  '\u2028',
  '\ud800',
];
const text = fc
  .array(fc.oneof(fc.constantFrom(...SEQUENCES), fc.string({ unit: 'binary' }), fc.constantFrom('\t', '\n', 'ü', '😀')))
  .map((parts) => parts.join(''));

// eslint-disable-next-line no-control-regex
const ACTED_ON = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/;

test('nothing in a printable line is acted on by a terminal', () => {
  fc.assert(fc.property(text, (any) => expect(printable(any)).not.toMatch(ACTED_ON)));
});

test('nothing in printable lines but line ends is', () => {
  fc.assert(fc.property(text, (any) => expect(printableLines(any).replaceAll('\n', '')).not.toMatch(ACTED_ON)));
});

test('JSON holds nothing of it either, is one line, and means the same', () => {
  fc.assert(
    fc.property(text, (any) => {
      const line = jsonLine({ [any]: any });
      expect(line).not.toMatch(ACTED_ON);
      expect(JSON.parse(line)).toEqual({ [any]: any });
    }),
  );
});

test('ordinary text stays as it is', () => {
  const ordinary = 'Grüße, 你好 👩‍💻 "quoted" \\ back';
  expect(printable(ordinary)).toBe(ordinary);
  expect(printableLines(`${ordinary}\n${ordinary}\n`)).toBe(`${ordinary}\n${ordinary}\n`);
  expect(jsonLine({ ordinary })).toBe(JSON.stringify({ ordinary }));
});

test.each([
  ['a\u001b[31mb', 'a\\x1b[31mb'],
  ['a\u009bb', 'a\\x9bb'],
  ['a\nb\tc\r', 'a\\nb\\tc\\r'],
  ['\u202eabc', '\\u202eabc'],
  ['x\ud83d', 'x\\ud83d'],
])('%j is written as %s', (given, written) => expect(printable(given)).toBe(written));

test('lines keep their ends and their columns', () => {
  expect(printableLines('a\tb\r\nlonger text\tc\n')).toBe('a       b\nlonger text     c\n');
});
