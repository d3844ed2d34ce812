import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { Command as CliCommand } from 'commander';
import { MngrFargateError } from '../../../contract/errors';
import type { Terminal } from '../../../sandbox/client';
import { shellCommand as quoted } from '../../../util/shell-quote';
import type { TerminalSize } from '../../../contract/user-terminal';
import { giveTerminal, terminalSize } from '../../../util/user-terminal';
import type { CliContext } from '../../context';
import { exitCodeOfSignal } from '../../exit-codes';
import { parseCount } from '../../parse/size';
import type { Runner } from '../../runner';
import { withSandbox } from './connection';

interface ShellOptions {
  readonly workdir?: string;
  readonly user?: string;
  readonly join?: string;
}

async function shell(context: CliContext, id: string, { workdir, user, join }: ShellOptions): Promise<number> {
  const { stdin, stdout } = context.io;
  if (context.json || !stdin.isTTY || !stdout.isTTY) {
    const message = context.json ? 'an interactive shell has no JSON' : 'shell needs a terminal';
    throw new MngrFargateError('usage', message, {
      hint: `run a command with: mngr-fargate sandbox exec ${id} -- COMMAND`,
    });
  }
  const command = context.passthrough;
  const line = command === undefined || command.length === 0 ? undefined : quoted(command);
  const seq = join === undefined ? undefined : parseCount(join, '--join', { least: 1, most: 1_000_000_000 });
  if (seq !== undefined && (workdir ?? user ?? line) !== undefined) {
    throw new MngrFargateError('usage', '--join continues a terminal that already has its command', {
      hint: 'leave out --workdir, --user and the command',
    });
  }
  const size = terminalSize(context.io);
  return withSandbox(context, id, async (sandbox) => {
    const terminal = sandbox.terminal({
      ...(size !== undefined && { cols: size.columns, rows: size.rows }),
      ...{ command: line, cwd: workdir, user, seq },
      signal: context.signal,
    });
    return attached(context, terminal);
  });
}

/**
 * Gives the user's terminal to one in a sandbox until that ends. The keys go there as they are, Ctrl-C among them. The terminal
 * is as it was on every way out.
 */
async function attached(context: CliContext, terminal: Terminal): Promise<number> {
  const { stdout } = context.io;
  const input = new Writable({
    write: (keys: Buffer, _encoding, done) => {
      terminal.write(keys);
      done();
    },
  });
  const resize = ({ columns, rows }: TerminalSize): void => terminal.resize({ cols: columns, rows });
  const restore = giveTerminal(context.io, { input, resize });
  try {
    for await (const bytes of terminal.output) {
      if (!stdout.write(bytes)) await once(stdout, 'drain', { signal: context.signal });
    }
    context.signal.throwIfAborted();
    const { exitCode, signal } = await terminal.exit;
    return exitCode ?? exitCodeOfSignal(signal ?? 'HUP');
  } finally {
    restore();
    terminal.close();
  }
}

/** `sandbox shell ID [-- COMMAND…]` */
export function shellCommand(sandbox: CliCommand, runner: Runner): void {
  sandbox
    .command('shell')
    .usage('[options] <sandbox> [-- COMMAND...]')
    .description('open a terminal in a sandbox')
    .argument('<sandbox>', 'id of the sandbox')
    .option('--workdir <folder>', 'folder to start in (default: /workspace)')
    .option('--user <user>', "name or uid (default: the sandbox's user)")
    .option('--join <number>', 'go on with the terminal of this command (see `sandbox events`)')
    .action(runner.action(shell, { takesPassthrough: true }));
}
