import { CommanderError } from 'commander';
import { MngrFargateError } from '../contract/errors';
import { asMngrFargateError, errorDocument, errorText } from './error-report';
import { EXIT_BROKEN_PIPE, EXIT_CODES } from './exit-codes';
import { installInterrupts } from './interrupts';
import type { Io } from './io';
import { processIo } from './io';
import { createProgram } from './program';
import { Runner } from './runner';
import { jsonLine, printable } from '../util/printable';

/** commander's own usage errors in our terms: `error: unknown option '--x'\n(Did you mean --y?)`. */
function usageError({ message }: CommanderError): MngrFargateError {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n');
  const suggestion = rest.join(' ').replace(/^\((.*)\)$/, '$1');
  const hint = suggestion === '' ? 'see mngr-fargate --help' : suggestion.charAt(0).toLowerCase() + suggestion.slice(1);
  return new MngrFargateError('usage', first, { hint });
}

/** Waits until what was written has left the process, as far as somebody reads it. */
const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.destroyed || stream.errored) resolve();
    else stream.write('', () => resolve());
  });

/**
 * Runs the program and returns its exit code. `words` are the arguments without the interpreter and the script.
 * Never throws: errors are reported on stderr, or on stdout as JSON with `--json`.
 */
export async function main(words: readonly string[], io: Io = processIo()): Promise<number> {
  const divide = words.indexOf('--');
  const own = divide === -1 ? words : words.slice(0, divide);
  const passthrough = divide === -1 ? undefined : words.slice(divide + 1);
  const interrupts = installInterrupts(io);
  const runner = new Runner(io, passthrough, interrupts);

  let exitCode: number;
  try {
    await createProgram(runner, io).parseAsync(own, { from: 'user' });
    exitCode = runner.exitCode;
  } catch (thrown) {
    if (thrown instanceof CommanderError && thrown.exitCode === 0) exitCode = 0;
    else if (thrown instanceof CommanderError && thrown.code === 'commander.help') exitCode = EXIT_CODES.usage;
    else exitCode = report(thrown instanceof CommanderError ? usageError(thrown) : thrown);
  } finally {
    interrupts.dispose();
  }
  await Promise.all([flushed(io.stdout), flushed(io.stderr)]);
  return interrupts.exitCode() ?? reportedOutput() ?? exitCode;

  /** A result that could not be written has failed, whatever the command made of it. */
  function reportedOutput(): number | undefined {
    const problem = interrupts.outputProblem();
    if (problem === undefined) return undefined;
    if (!io.stderr.errored) io.stderr.write(`mngr-fargate: cannot write the output: ${printable(problem.message)}\n`);
    return EXIT_CODES.failed;
  }

  function report(thrown: unknown): number {
    const error = asMngrFargateError(thrown, interrupts.signal);
    // A reader that went away is told nothing.
    if (interrupts.exitCode() === EXIT_BROKEN_PIPE) return EXIT_BROKEN_PIPE;
    if (interrupts.outputProblem() !== undefined) return EXIT_CODES.failed;
    if (runner.context !== undefined) return runner.context.report(error);
    if (own.includes('--json')) io.stdout.write(`${jsonLine(errorDocument(error))}\n`);
    else io.stderr.write(errorText(error, { verbose: false, debug: Boolean(io.environment.MNGR_FARGATE_DEBUG) }));
    return EXIT_CODES[error.code];
  }
}
