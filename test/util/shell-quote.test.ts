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

/** Many to a run of the shell, since starting one takes longer than what it does. */
const commands = fc.array(argv, { minLength: 25, maxLength: 25 });

describe.each(['sh', 'bash'])('shellCommand in %s', (shell) => {
  /** What the script's printf printed, word by word; each command says first how many words it has. */
  const wordsPrintedBy = (script: readonly string[]): string[][] => {
    const printed = execFileSync(shell, ['-c', script.join('\n')])
      .toString()
      .split('\0');
    const found: string[][] = [];
    while (printed.length > 1) found.push(printed.splice(0, 1 + Number(printed[0])).slice(1));
    return found;
  };

  test('gives a program exactly the same arguments', () => {
    fc.assert(
      fc.property(commands, (all) => {
        const script = all.map((words) => shellCommand(['env', 'printf', '%s\\0', String(words.length), ...words]));
        expect(wordsPrintedBy(script)).toEqual(all);
      }),
      { numRuns: 4 },
    );
  });

  test('separates any words in the middle of a command', () => {
    fc.assert(
      fc.property(commands, (all) => {
        const script = all.map((words) => `printf '%s\\0' ${words.length} ${shellCommand(words)}`);
        expect(wordsPrintedBy(script)).toEqual(all);
      }),
      { numRuns: 20 },
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
