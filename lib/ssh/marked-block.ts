import { MngrFargateError } from '../contract/errors';

const BEGIN = '# BEGIN mngr-fargate';
const END = '# END mngr-fargate';
const NOTE = ' (written by "mngr-fargate config ssh"; "mngr-fargate config ssh --remove" takes it out)';

/** Where the block stands in a text, its line end included. Throws `usage` where its markers don't make one block. */
function blockIn(text: string, file: string): { readonly start: number; readonly end: number } | undefined {
  const begins = [...text.matchAll(/(?<![^\n])# BEGIN mngr-fargate\b[^\n]*/g)];
  const ends = [...text.matchAll(/(?<![^\n])# END mngr-fargate\b[^\n]*(?:\n|$)/g)];
  const [begin] = begins;
  const [end] = ends;
  if (begin === undefined && end === undefined) return undefined;
  if (begins.length === 1 && ends.length === 1 && begin !== undefined && end !== undefined && begin.index < end.index) {
    return { start: begin.index, end: end.index + end[0].length };
  }
  throw new MngrFargateError('usage', `${file} doesn't have exactly one "${BEGIN}" with an "${END}" after it`, {
    hint: 'remove these lines and what is between them by hand, then repeat the command',
  });
}

/**
 * The text with our block of these lines: in the place of an earlier one, else at the beginning, where no `Host` line of
 * the user's stands before it. All else stays as it is. The block has the line ends of the text. Throws `usage` (`blockIn`).
 */
export function withBlock(text: string, lines: readonly string[], file: string): string {
  const eol = /\r\n/.test(text) && !/(?<!\r)\n/.test(text) ? '\r\n' : '\n';
  const block = [BEGIN + NOTE, ...lines, END].map((line) => line + eol).join('');
  const present = blockIn(text, file);
  return present === undefined ? block + text : text.slice(0, present.start) + block + text.slice(present.end);
}

/** The text without our block. Throws `usage` (`blockIn`). */
export function withoutBlock(text: string, file: string): string {
  const present = blockIn(text, file);
  return present === undefined ? text : text.slice(0, present.start) + text.slice(present.end);
}
