import { once } from 'node:events';
import { MngrFargateError } from '../../../contract/errors';
import type { Command, CommandExit, CommandResult } from '../../../sandbox/client';
import type { CliContext } from '../../context';
import { exitCodeOfSignal } from '../../exit-codes';

/** After Ctrl-C a command has this long for its own end. Milliseconds. */
const GRACE_MS = 3_000;

/**
 * Gives this program's streams to a command in a sandbox, and answers with its exit code. The first Ctrl-C interrupts the
 * command, and kills it if that doesn't end it. With `--json` its output is part of one document. Throws `timed-out` for a
 * command whose time was up, and the client's errors.
 */
export async function runCommand(
  context: CliContext,
  command: Command,
  { input = false }: { /** Sends this program's stdin. */ readonly input?: boolean } = {},
): Promise<number> {
  const done = new AbortController();
  const onAbort = (): void => void interrupt(command);
  context.signal.addEventListener('abort', onAbort, { once: true });
  if (context.signal.aborted) onAbort();
  const sending = input ? sendInput(context, command, done.signal) : new Promise<never>(() => undefined);
  try {
    const exit = await Promise.race([context.json ? resultOf(context, command) : streamed(context, command), sending]);
    context.signal.throwIfAborted();
    if (exit.timedOut) {
      throw new MngrFargateError('timed-out', 'the command ran longer than its time and was ended', {
        hint: 'give it more with --timeout',
        details: { exitCode: exit.exitCode, signal: exit.signal },
      });
    }
    return exit.exitCode ?? exitCodeOfSignal(exit.signal ?? 'HUP');
  } finally {
    context.signal.removeEventListener('abort', onAbort);
    done.abort();
  }
}

async function interrupt(command: Command): Promise<void> {
  // It may have ended meanwhile.
  await command.kill('INT').catch(() => undefined);
  const timer = setTimeout(() => void command.kill('KILL').catch(() => undefined), GRACE_MS);
  await command.result.catch(() => undefined);
  clearTimeout(timer);
}

/** Output as it comes, at the pace of whoever reads it. */
async function streamed({ io }: CliContext, command: Command): Promise<CommandExit> {
  const reader = command.read();
  for (;;) {
    const { done, value } = await reader.next();
    if (done === true) return value;
    if (value.stream === 'gap') {
      io.stderr.write(`mngr-fargate: ${value.dropped} bytes of output were dropped here\n`);
      continue;
    }
    const stream = io[value.stream];
    if (!stream.write(value.bytes)) await once(stream, 'drain');
  }
}

async function resultOf(context: CliContext, command: Command): Promise<CommandResult> {
  const result = await command.result;
  if (context.signal.aborted || result.timedOut) return result;
  context.printJson(commandDocument(result));
  return result;
}

/** The result as `--json` prints it: text, and base64 beside it where it is not text. */
export function commandDocument({ seq, stdoutB64, stderrB64, ...result }: CommandResult): object {
  const { exitCode, signal, stdout, stderr, durationMs, droppedBytes } = result;
  return {
    ...{ seq, exitCode, signal, stdout, ...(stdoutB64 !== undefined && { stdoutBase64: stdoutB64 }) },
    ...{ stderr, ...(stderrB64 !== undefined && { stderrBase64: stderrB64 }), durationMs, droppedBytes },
  };
}

/** Never returns: the command's end is what ends the work. Throws when its input can't be sent. */
async function sendInput({ io }: CliContext, command: Command, signal: AbortSignal): Promise<never> {
  const { EventEndedError } = await import('../../../sandbox/client/index.js');
  try {
    await command.end(io.stdin as AsyncIterable<Uint8Array>, { signal });
  } catch (error) {
    // Whoever can't be written to any more has ended, and its stream says how.
    if (!signal.aborted && !(error instanceof EventEndedError) && !(await hasEnded(command))) throw error;
  }
  return new Promise<never>(() => undefined);
}

async function hasEnded(command: Command): Promise<boolean> {
  const ended = command.result.then(
    () => true,
    () => true,
  );
  const later = new Promise<boolean>((resolve) => setTimeout(() => resolve(false), GRACE_MS).unref());
  return Promise.race([ended, later]);
}
