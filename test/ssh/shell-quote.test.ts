import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { shellCommand, shellQuote } from '../../lib/ssh';

const argument = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: fc.constantFrom(...'\'"\\$`!*?[]{}()<>|&;~#=%^ \t\n\r-/é€😀') }),
);
const argv = fc.array(
  argument.filter((text) => !text.includes('\0') && Buffer.from(text).toString() === text),
  { maxLength: 8 },
);

const shells: [string, ...string[]][] = [
  ['sh', '-c'],
  ['bash', '-c'],
];

describe.each(shells)('shellCommand in %s', (shell, ...flags) => {
  test('arrives as exactly the same arguments', () => {
    fc.assert(
      fc.property(argv, (words) => {
        const command = shellCommand([
          process.execPath,
          '-e',
          'process.stdout.write(JSON.stringify(process.argv.slice(1)))',
          '--',
          ...words,
        ]);
        expect(JSON.parse(execFileSync(shell, [...flags, command]).toString())).toEqual(words);
      }),
      { numRuns: 25 },
    );
  });

  test('separates any words by printf', () => {
    fc.assert(
      fc.property(argv, (words) => {
        const command = `printf '%s\\0' ${shellCommand(words)}`;
        const expected = words.length === 0 ? '\0' : words.map((word) => `${word}\0`).join('');
        expect(execFileSync(shell, [...flags, command]).toString()).toBe(expected);
      }),
      { numRuns: 150 },
    );
  });
});

describe('shellQuote', () => {
  test.each([
    ['', "''"],
    ['plain/path-1.2', 'plain/path-1.2'],
    ['two words', "'two words'"],
    ["it's", "'it'\\''s'"],
    ['-rf', '-rf'],
    ['~', "'~'"],
    ['A=b', "'A=b'"],
    ['=b', "'=b'"],
  ])('%j becomes %s', (text, quoted) => {
    expect(shellQuote(text)).toBe(quoted);
  });

  test('a NUL is refused', () => {
    expect(() => shellQuote('a\0b')).toThrow(expect.objectContaining({ code: 'usage' }));
  });

  test.each(['A=b', 'if', 'until'])('a program called %j is run as a program', (name) => {
    expect(() => execFileSync('bash', ['-c', shellCommand([name])], { stdio: 'pipe' })).toThrow(/not found/);
  });
});
