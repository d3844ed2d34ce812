import { MngrFargateError } from '../../contract/errors';
import { shellQuote } from '../../util/shell-quote';
import type { InputEncoding } from './output-lines';

/**
 * Lines that the wrapper script takes: `v` a piece of the variables and `g` their end; `d` a piece of a batch of input and
 * `.` its end; `e` the end of all input; `k` and `K` end the command with SIGTERM and SIGKILL; `q` ends the script. It passes
 * over other lines.
 */
export const INPUT_END = 'e\n';
export const END_COMMAND = 'k\n';
export const KILL_COMMAND = 'K\n';
export const QUIT = 'q\n';
/** Means nothing, and shows the agent that the session isn't idle. */
export const KEEP_ALIVE = '-\n';

/** Characters of a line's payload: with the rest of the line well below a message of 1024 bytes. */
const PIECE = 1000;

/** Bytes of one batch. */
export const batchBytes = (encoding: InputEncoding): number => (encoding === 'base64' ? 24 * 1024 : 8 * 1024);

/** One batch of input. The script answers when it has taken all of it. */
export function inputBatch(bytes: Buffer, encoding: InputEncoding): string {
  return `${lines('d', encoding === 'base64' ? bytes.toString('base64') : octal(bytes), encoding)}.\n`;
}

/** The variables for the command, `undefined` for none: the script must have been told which of both. */
export function variableLines(variables: Readonly<Record<string, string>>): string {
  const code = Object.entries(variables)
    .map(([name, value]) => `export ${checkedName(name)}=${quoted(value)}\n`)
    .join('');
  return `${lines('v', octal(Buffer.from(code)), 'octal')}g\n`;
}

/** Throws `usage` for a name that no shell can set. */
export function checkedName(name: string): string {
  if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) return name;
  throw new MngrFargateError('usage', `${JSON.stringify(name)} is not a variable name that a shell can set`, {
    hint: 'use letters, digits and _ only, not beginning with a digit',
  });
}

const quoted = (value: string): string => (value === '' ? "''" : shellQuote(value));

/** An escape is never cut in two. */
function lines(letter: string, text: string, encoding: InputEncoding): string {
  const size = encoding === 'octal' ? PIECE - (PIECE % 4) : PIECE;
  let result = '';
  for (let at = 0; at < text.length; at += size) result += `${letter}${text.slice(at, at + size)}\n`;
  return result;
}

/** As escapes of printf: backslash and three octal digits for each byte. */
const octal = (bytes: Buffer): string => {
  let text = '';
  for (const byte of bytes) text += `\\${byte.toString(8).padStart(3, '0')}`;
  return text;
};
