import { MngrFargateError } from '../../contract/errors';
import type { ExecResult } from '../../hosts/model/types';
import type { CliContext } from '../context';
import { exitCodeOfSignal } from '../exit-codes';
import { collect } from '../global-options';
import { environmentPairs } from '../parse/key-value';
import type { CommandRegistration } from '../runner';
import { TextSink } from '../../ssh/text-sink';

interface ExecOptions {
  readonly env?: readonly string[];
  readonly workdir?: string;
}

const exitCodeOf = ({ exitCode, signal }: ExecResult): number => exitCode ?? exitCodeOfSignal(signal ?? 'HUP');

async function exec(
  context: CliContext,
  reference: string,
  words: readonly string[],
  options: ExecOptions,
): Promise<number> {
  const command = [...words, ...(context.passthrough ?? [])];
  if (command.length === 0) {
    throw new MngrFargateError('usage', 'the command to run is missing', {
      hint: `mngr-fargate exec ${reference} -- COMMAND`,
    });
  }
  const { stdin, stdout, stderr, environment } = context.io;
  const captured = context.json ? { stdout: new TextSink(), stderr: new TextSink() } : undefined;
  return context.withHosts(async (hosts) => {
    const result = await hosts.exec(reference, command, {
      stdin,
      stdout: captured?.stdout ?? stdout,
      stderr: captured?.stderr ?? stderr,
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

/** `exec NAME -- COMMAND…` */
export const execCommand: CommandRegistration = (program, runner) => {
  program
    .command('exec')
    .usage('[options] <host> -- COMMAND...')
    .description('run a command on a host, with its stdin, stdout, stderr and exit code')
    .argument('<host>', 'name, host id or task ARN')
    .argument('[command...]', 'program and arguments; after "--" if any of them starts with "-"')
    .option(
      '--env <key[=value]>',
      'variable for the command; KEY alone takes the value from this environment; repeatable',
      collect,
    )
    .option('--workdir <folder>', 'folder to run it in (default: the home directory)')
    .action(runner.action(exec, { takesPassthrough: true }));
};
