import fc from 'fast-check';
import { withBlock, withoutBlock } from '../../lib/ssh';

const LINES = ['Include /here', '# é as bytes: \u00c3\u00a9'];
const ours = (text: string): string => withBlock(text, LINES, 'config');

test.each([
  ['nothing', ''],
  ['hosts of the user', 'Host a\n  User b\n'],
  ['no new line at the end', 'Host a\n  User b'],
  ['line ends of Windows', 'Host a\r\n  User b\r\n'],
  ['mixed line ends', 'Host a\r\n  User b\n'],
  ['bytes that are no text', '\u00ff\u0000\n'],
])('what goes in comes out again: %s', (_what, text) => {
  const written = ours(text);
  expect(written.endsWith(text)).toBe(true);
  expect(ours(written)).toBe(written);
  expect(withoutBlock(written, 'config')).toBe(text);
});

test('it has the line ends of the file, and stands before any Host line', () => {
  expect(ours('Host a\r\n')).toMatch(
    /^# BEGIN mngr-fargate.*\r\nInclude \/here\r\n.*\r\n# END mngr-fargate\r\nHost a\r\n$/,
  );
  expect(ours('Host a\n')).not.toContain('\r');
});

test('a block that the user has moved stays where it is, and gets the new lines', () => {
  const moved = `# mine\n${ours('')}Host a\n`;
  expect(withBlock(moved, ['Include /there'], 'config')).toBe(
    moved.replace(/Include[^]*?(?=# END)/, 'Include /there\n'),
  );
});

test.each([
  '# BEGIN mngr-fargate\nHost a\n',
  '# END mngr-fargate\n',
  '# END mngr-fargate\n# BEGIN mngr-fargate\n',
  ours(ours('').replace(/^/, '')) + ours(''),
])('markers that make no block are refused: %j', (text) => {
  expect(() => ours(text)).toThrow("config doesn't have exactly one");
  expect(() => withoutBlock(text, 'config')).toThrow("config doesn't have exactly one");
});

test('any text survives', () => {
  const word = fc.constantFrom('Host x', '\n', '\r\n', '\r', '#', ' BEGIN mngr', '\u00ff', 'a');
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const text = words.join('');
      expect(withoutBlock(ours(text), 'config')).toBe(text);
      expect(ours(ours(text))).toBe(ours(text));
    }),
  );
});
