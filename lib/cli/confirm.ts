import { createInterface } from 'node:readline/promises';
import { MngrFargateError } from '../contract/errors';
import type { CliContext } from './context';
import { printable } from '../util/printable';

/**
 * Asks a question that has to be answered with yes before something is done that can't be undone. True for `y` or `yes`.
 * Throws `usage` where there is no terminal to ask on, naming the option that answers beforehand.
 */
export async function confirm({ io, signal }: CliContext, question: string, option: string): Promise<boolean> {
  if (!io.stdin.isTTY) {
    throw new MngrFargateError('usage', 'this asks first, and stdin is no terminal to ask on', {
      hint: `give ${option} to answer yes beforehand`,
    });
  }
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  // readline takes Ctrl-C and Ctrl-D for itself; both mean that nothing was agreed to.
  const left = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  terminal.once('SIGINT', () => terminal.close());
  try {
    const answer = await Promise.race([terminal.question(`${printable(question)} [y/N] `, { signal }), left]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
