import type { Command as CliCommand } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import { shellCommand } from '../../../util/shell-quote';
import type { CliContext } from '../../context';
import { collect } from '../../global-options';
import { parseDuration } from '../../parse/duration';
import { environmentPairs } from '../../parse/key-value';
import type { Runner } from '../../runner';
import { withSandbox } from './connection';
import { runCommand } from './run-command';

interface ExecOptions {
  readonly env?: readonly string[];
  readonly workdir?: string;
  readonly shell?: string;
  readonly timeout?: string;
  readonly user?: string;
  readonly stdin: boolean;
  readonly detach?: boolean;
}

/** The longest that the service allows: like the other commands, this one has no limit unless one is given. */
const LONGEST_SECONDS = 7 * 86_400;

async function exec(
  context: CliContext,
  id: string,
  words: readonly string[],
  { env, workdir, shell, timeout, user, stdin, detach }: ExecOptions,
): Promise<number> {
  const argv = [...words, ...(context.passthrough ?? [])];
  if (argv.length === 0) {
    throw new MngrFargateError('usage', 'the command to run is missing', {
      hint: `mngr-fargate sandbox exec ${id} -- COMMAND`,
    });
  }
  if (shell !== undefined && user !== undefined) {
    throw new MngrFargateError('usage', 'give --shell or --user, not both: a shell session already has its user');
  }
  const settings = {
    env: environmentPairs(env ?? [], context.io.environment),
    cwd: workdir,
    shell,
    user,
    timeoutSeconds:
      timeout === undefined ? LONGEST_SECONDS : parseDuration(timeout, '--timeout', { most: LONGEST_SECONDS }),
  };
  const input = stdin && detach !== true;
  return withSandbox(context, id, async (sandbox) => {
    // A single word is a command line already.
    const line = argv.length === 1 ? (argv[0] ?? '') : shellCommand(argv);
    const what = shell === undefined ? argv : line;
    const command = sandbox.exec(what, { ...settings, stdin: input ? 'open' : 'none' });
    if (detach !== true) return runCommand(context, command, { input });
    const seq = await command.seq;
    context.result({ seq }, () => `${seq}\n`);
    return 0;
  });
}

/** `sandbox exec ID -- COMMAND…` */
export function execCommand(sandbox: CliCommand, runner: Runner): void {
  sandbox
    .command('exec')
    .usage('[options] <sandbox> -- COMMAND...')
    .description('run a command in a sandbox, with its stdin, stdout, stderr and exit code')
    .argument('<sandbox>', 'id of the sandbox')
    .argument('[command...]', 'program and arguments; after "--" if any of them starts with "-"')
    .option(
      '--env <key[=value]>',
      'variable for the command; KEY alone takes the value from this environment; repeatable',
      collect,
    )
    .option('--workdir <folder>', "folder to run it in (default: /workspace; with --shell, the session's)")
    .option('--shell <session>', 'run it as a command line of this shell session, whose folder and variables stay')
    .option('--user <user>', "name or uid to run it as (default: the sandbox's user)")
    .option('--timeout <duration>', 'end the command after this time')
    .option('--no-stdin', "don't send the input of this program")
    .option('--detach', 'print the number of the command and leave it running (see `sandbox events`)')
    .action(runner.action(exec, { takesPassthrough: true }));
}
