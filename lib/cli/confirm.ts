import { createInterface } from 'node:readline/promises';
import { MngrFargateError } from '../contract/errors';
import type { CliContext } from './context';
import { printable } from '../util/printable';

/**
 * Asks for confirmation before something that can't be undone. True for `y` or `yes`.
 * Throws `usage` if stdin is not a terminal, and names the option that confirms without asking.
 */
export async function confirm({ io, signal }: CliContext, question: string, option: string): Promise<boolean> {
  if (!io.stdin.isTTY) {
    throw new MngrFargateError('usage', 'this command asks for confirmation, and stdin is not a terminal', {
      hint: `confirm with ${option}`,
    });
  }
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  // readline handles Ctrl-C and Ctrl-D itself; both mean no.
  const left = new Promise<string>((resolve) => terminal.once('close', () => resolve('')));
  terminal.once('SIGINT', () => terminal.close());
  try {
    const answer = await Promise.race([terminal.question(`${printable(question)} [y/N] `, { signal }), left]);
    return /^y(?:es)?$/i.test(answer.trim());
  } finally {
    terminal.close();
  }
}
