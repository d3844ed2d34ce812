import { pause } from '../util/abort';
import type { CliContext } from './context';
import { EXIT_CODES } from './exit-codes';
import { isInteractive } from './io';

const HOME_AND_CLEAR = '\u001b[H\u001b[J';

/**
 * Shows something once, or again after each interval (seconds) until Ctrl-C; on a terminal each showing takes the place of
 * the one before. Returns the exit code.
 */
export async function shown<Value>(
  context: CliContext,
  intervalSeconds: number | undefined,
  read: () => Promise<Value>,
  text: (value: Value) => string,
): Promise<number> {
  const { stdout, environment } = context.io;
  const redraws = intervalSeconds !== undefined && !context.json && isInteractive(stdout, environment);
  for (;;) {
    try {
      const value = await read();
      if (redraws) stdout.write(HOME_AND_CLEAR);
      context.result(value, () => text(value));
      if (intervalSeconds === undefined) return 0;
      await pause(intervalSeconds * 1000, 'watching', context.signal);
    } catch (error) {
      // Ctrl-C is the normal end of a watch, not an error.
      if (intervalSeconds !== undefined && context.signal.aborted) return EXIT_CODES.aborted;
      throw error;
    }
  }
}
