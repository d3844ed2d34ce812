import { Command } from 'commander';
import { completionCommand } from './commands/completion';
import { configCommand } from './commands/config';
import { connectCommand } from './commands/connect';
import { costCommand } from './commands/cost';
import { cpCommand } from './commands/cp';
import { createCommand } from './commands/create';
import { destroyCommand } from './commands/destroy';
import { doctorCommand } from './commands/doctor';
import { execCommand } from './commands/exec';
import { forwardCommand } from './commands/forward';
import { gcCommand } from './commands/gc';
import { listCommand } from './commands/list';
import { localCommand } from './commands/local';
import { logsCommand } from './commands/logs';
import { messageCommand } from './commands/message';
import { mngrCommand } from './commands/mngr';
import { renameCommand } from './commands/rename';
import { sandboxCommand } from './commands/sandbox';
import { shellCommand } from './commands/shell';
import { showCommand } from './commands/show';
import { sshProxyCommand } from './commands/ssh-proxy';
import { tagCommand } from './commands/tag';
import { targetsCommand } from './commands/targets';
import { tasksCommand } from './commands/tasks';
import { versionCommand } from './commands/version';
import { addGlobalOptions } from './global-options';
import type { Io } from './io';
import type { CommandRegistration, Runner } from './runner';
import { packageVersion } from '../util/package-root';

const COMMANDS: readonly CommandRegistration[] = [
  createCommand,
  listCommand,
  showCommand,
  connectCommand,
  execCommand,
  shellCommand,
  forwardCommand,
  messageCommand,
  cpCommand,
  sshProxyCommand,
  logsCommand,
  tasksCommand,
  targetsCommand,
  doctorCommand,
  renameCommand,
  tagCommand,
  destroyCommand,
  gcCommand,
  costCommand,
  configCommand,
  localCommand,
  sandboxCommand,
  mngrCommand,
  completionCommand,
  versionCommand,
];

/** The program with all its commands. Nothing here loads the AWS SDK, ssh2 or zod; commands do when they run. */
export function createProgram(runner: Runner, io: Io): Command {
  const program = new Command('mngr-fargate')
    .description('AI coding agents on AWS Fargate: create hosts, connect to them, talk to their agents')
    .version(packageVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand('help [command]', 'print help for a command')
    .showSuggestionAfterError(true)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: () => undefined,
    })
    .addHelpText('after', '\nExit codes, JSON shapes and every option: docs/cli.md')
    .configureHelp({ showGlobalOptions: true });
  addGlobalOptions(program);
  for (const register of COMMANDS) register(program, runner);
  return program;
}
