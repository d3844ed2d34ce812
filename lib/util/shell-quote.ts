import { MngrFargateError } from '../contract/errors';

/** Characters that no POSIX shell treats specially in any position. Not `=`: a first word that contains it is an assignment. */
const PLAIN = /^[A-Za-z0-9_/:.,@%+-]+$/;
/** First words that POSIX sh and bash take as keywords and not as programs. */
const RESERVED = new Set(
  'case coproc do done elif else esac fi for function if in select then time until while'.split(' '),
);

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/** One word for a POSIX shell that expands to exactly this text. Throws `usage` for NUL, which no argument can contain. */
export function shellQuote(text: string): string {
  if (text.includes('\0')) {
    throw new MngrFargateError(
      'usage',
      `argument ${JSON.stringify(text)} contains a NUL character, which no program can take`,
    );
  }
  return PLAIN.test(text) ? text : quoted(text);
}

/** The command line that makes a POSIX shell run exactly this program with these arguments. */
export const shellCommand = (argv: readonly string[]): string =>
  argv.map((word, index) => (index === 0 && RESERVED.has(word) ? quoted(word) : shellQuote(word))).join(' ');
