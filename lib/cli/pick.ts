import { createInterface } from 'node:readline/promises';
import { MngrFargateError } from '../contract/errors';
import { printable } from '../util/printable';
import type { CliContext } from './context';
import { isInteractive } from './io';
import { renderTable } from './render/table';

/** Whether somebody can be asked: a terminal on both sides, and nobody who waits for JSON. */
export const canAsk = ({ io, json }: CliContext): boolean =>
  !json && io.stdin.isTTY === true && isInteractive(io.stderr, io.environment);

/**
 * Shows numbered rows below their headings and asks for a number. Throws `usage` for any other answer, `aborted` for
 * Ctrl-C and Ctrl-D.
 */
export async function pick<Item>(
  { io, signal }: CliContext,
  question: string,
  table: {
    readonly headings: readonly string[];
    readonly items: readonly Item[];
    readonly row: (item: Item) => string[];
  },
): Promise<Item> {
  const rows = table.items.map((item, index) => [String(index + 1), ...table.row(item)]);
  io.stderr.write(renderTable([['', ...table.headings], ...rows]));
  const terminal = createInterface({ input: io.stdin, output: io.stderr });
  const left = new Promise<undefined>((resolve) => terminal.once('close', () => resolve(undefined)));
  terminal.once('SIGINT', () => terminal.close());
  try {
    const answer = await Promise.race([
      terminal.question(`${printable(question)} [1-${table.items.length}] `, { signal }),
      left,
    ]);
    if (answer === undefined) throw new MngrFargateError('aborted', 'nothing was chosen');
    const chosen = /^\d+$/.test(answer.trim()) ? table.items[Number(answer) - 1] : undefined;
    if (chosen !== undefined) return chosen;
    throw new MngrFargateError(
      'usage',
      `${JSON.stringify(answer.trim())} is not a number from 1 to ${table.items.length}`,
    );
  } finally {
    terminal.close();
  }
}
