import { MngrFargateError } from '../../contract/errors';
import type { ExecResult } from '../../hosts/model/types';
import type { CliContext } from '../context';
import { exitCodeOfSignal } from '../exit-codes';
import { addJumpOption, collect } from '../global-options';
import { environmentPairs } from '../parse/key-value';
import type { TargetOptions } from '../parse/target';
import { addTargetOptions, parseTarget, TARGET_ARGUMENT } from '../parse/target';
import type { CommandRegistration } from '../runner';
import { execInTaskTarget } from '../task-exec';
import type { TaskExecOptions } from '../task-exec';
import { TextSink } from '../../ssh/text-sink';

interface ExecOptions extends TargetOptions, TaskExecOptions {}

const exitCodeOf = ({ exitCode, signal }: ExecResult): number => exitCode ?? exitCodeOfSignal(signal ?? 'HUP');

async function exec(
  context: CliContext,
  reference: string | undefined,
  words: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const given = parseTarget(reference, options, context.options.cluster);
  const command = [...words, ...(context.passthrough ?? [])];
  if (command.length === 0) {
    throw new MngrFargateError('usage', 'the command to run is missing', {
      hint: `mngr-fargate exec ${reference ?? '--service NAME'} -- COMMAND`,
    });
  }
  if (options.tty === true && context.json) {
    throw new MngrFargateError('usage', 'a command on a terminal has no JSON output: give --tty or --json, not both', {
      hint: 'leave out --tty: stdout and stderr are then kept apart',
    });
  }
  if (given.kind !== 'host') return execInTaskTarget(context, given, command, options);
  refuseForHosts(options);
  return execOnHost(context, given.reference, command, options);
}

/** What a host's SSH server has no means for. */
function refuseForHosts({ container, timeout }: ExecOptions): void {
  const option = container !== undefined ? '--container' : timeout !== undefined ? '--timeout' : undefined;
  if (option === undefined) return;
  throw new MngrFargateError('usage', `exec on a host takes no ${option}`, {
    hint: 'name its task with --cluster and --task: the command then runs over ECS Exec',
  });
}

async function execOnHost(
  context: CliContext,
  reference: string,
  command: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const { stdin, stdout, stderr, environment } = context.io;
  const captured = context.json ? { stdout: new TextSink(), stderr: new TextSink() } : undefined;
  return context.withHosts(async (hosts) => {
    const result = await hosts.exec(reference, command, {
      stdin,
      stdout: captured?.stdout ?? stdout,
      stderr: captured?.stderr ?? stderr,
      terminal: options.tty === true ? { stdin, stdout } : undefined,
      env: environmentPairs(options.env ?? [], environment),
      workingDirectory: options.workdir,
      signal: context.signal,
    });
    if (captured !== undefined) {
      context.printJson({ ...result, stdout: captured.stdout.text(), stderr: captured.stderr.text() });
    }
    return exitCodeOf(result);
  });
}

/** `exec TARGET -- COMMAND…` */
export const execCommand: CommandRegistration = (program, runner) => {
  const command = program
    .command('exec')
    .usage('[options] [target] -- COMMAND...')
    .description('run a command on a host or in any ECS task, with its stdin, stdout, stderr and exit code')
    .argument('[target]', TARGET_ARGUMENT)
    .argument('[command...]', 'program and arguments; after "--" if any of them starts with "-"')
    .option(
      '--env <key[=value]>',
      'variable for the command; KEY alone takes the value from this environment; repeatable',
      collect,
    )
    .option('--tty', 'run it on a terminal there, with this terminal for its keys and its screen')
    .option('--workdir <folder>', "folder to run it in (default: the home directory; in a task, the container's own)")
    .option('--timeout <duration>', 'end the command and its process group after this time; for tasks only');
  addTargetOptions(addJumpOption(command)).action(runner.action(exec, { takesPassthrough: true }));
};
