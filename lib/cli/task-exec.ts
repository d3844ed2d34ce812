import type { CommandExit } from '../contract/channel';
import { TextSink } from '../ssh/text-sink';
import type { EcsTasks, Target } from '../tasks/index';
import type { CliContext } from './context';
import { exitCodeOfSignal } from './exit-codes';
import { environmentPairs } from './parse/key-value';
import { parseDuration, WAITED_FOR } from './parse/duration';
import type { GivenTarget } from './parse/target';
import { withTaskTarget } from './target';

/** The container has no shell that could tell the command's exit code. */
const EXIT_UNKNOWN = 125;

export interface TaskExecOptions {
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly timeout?: string;
  readonly tty?: boolean;
}

/** `exec` in any ECS task, over ECS Exec. */
export async function execInTaskTarget(
  context: CliContext,
  given: Exclude<GivenTarget, { readonly kind: 'host' }>,
  command: readonly string[],
  options: TaskExecOptions,
): Promise<number> {
  const run = commandRunner(context, command, options);
  return withTaskTarget(context, given, async (target, tasks) => run(tasks, target));
}

/**
 * What runs a command in a container on this program's streams, and answers with its exit code. Throws `usage` for wrong
 * options before anything is started.
 */
export function commandRunner(
  context: CliContext,
  command: readonly string[],
  options: TaskExecOptions,
): (tasks: EcsTasks, target: Target) => Promise<number> {
  if (options.tty === true) return terminalCommandRunner(context, command, options);
  const { stdin, stdout, stderr } = context.io;
  const captured = context.json ? { stdout: new TextSink(), stderr: new TextSink() } : undefined;
  const settings = settingsOf(context, command, options);
  return async (tasks, target) => {
    const { execInTask } = await import('../tasks/index.js');
    const result = await execInTask(tasks, target, {
      ...settings,
      stdin,
      stdout: captured?.stdout ?? stdout,
      stderr: captured?.stderr ?? stderr,
    });
    if (!result.known) {
      noteUnknown(context, target);
      if (captured !== undefined) printResult(context, { exitCode: null, signal: null }, captured);
      return EXIT_UNKNOWN;
    }
    if (result.outputHeld) context.note('mngr-fargate: processes that the command left running keep its output open');
    const { exitCode, signal } = result;
    if (captured !== undefined) printResult(context, { exitCode, signal }, captured);
    return exitCode ?? exitCodeOfSignal(signal ?? 'HUP');
  };
}

/** The same for `--tty`: on a terminal there, with this program's terminal. */
function terminalCommandRunner(
  context: CliContext,
  command: readonly string[],
  options: TaskExecOptions,
): (tasks: EcsTasks, target: Target) => Promise<number> {
  const { stdin, stdout } = context.io;
  const settings = settingsOf(context, command, options);
  return async (tasks, target) => {
    const { execOnTerminal } = await import('../tasks/index.js');
    const exitCode = await execOnTerminal(tasks, target, { ...settings, stdin, stdout });
    if (exitCode === undefined) noteUnknown(context, target);
    return exitCode ?? EXIT_UNKNOWN;
  };
}

const noteUnknown = (context: CliContext, { container }: Target): void =>
  context.note(`mngr-fargate: container ${container} has no sh, so the command's exit code is unknown`);

function settingsOf(context: CliContext, command: readonly string[], options: TaskExecOptions) {
  const seconds = options.timeout === undefined ? undefined : parseDuration(options.timeout, '--timeout', WAITED_FOR);
  return {
    command,
    env: environmentPairs(options.env ?? [], context.io.environment),
    workingDirectory: options.workdir,
    timeout: seconds === undefined ? undefined : seconds * 1000,
    signal: context.signal,
  };
}

function printResult(
  context: CliContext,
  exit: CommandExit,
  { stdout, stderr }: { readonly stdout: TextSink; readonly stderr: TextSink },
): void {
  context.printJson({ ...exit, ...texts('stdout', stdout.bytes()), ...texts('stderr', stderr.bytes()) });
}

/** The text, and the bytes beside it where they are not UTF-8. */
function texts(name: 'stdout' | 'stderr', bytes: Buffer): Record<string, string> {
  const text = bytes.toString('utf8');
  return Buffer.from(text).equals(bytes)
    ? { [name]: text }
    : { [name]: text, [`${name}Base64`]: bytes.toString('base64') };
}
