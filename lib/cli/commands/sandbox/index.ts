import type { CommandRegistration } from '../../runner';
import { chatCommand } from './chat';
import { cpCommand } from './cp';
import { createCommand } from './create';
import { destroyCommand } from './destroy';
import { eventsCommand } from './events';
import { execCommand } from './exec';
import { gitCommands } from './git';
import { keysCommands } from './keys';
import { listCommand } from './list';
import { mcpCommand } from './mcp';
import { serveCommand } from './serve';
import { shellCommand } from './shell';

/** `sandbox` and its commands: a service on which agents run code (docs/sandbox-clients.md). */
export const sandboxCommand: CommandRegistration = (program, runner) => {
  const sandbox = program
    .command('sandbox')
    .description('sandboxes in which agents run code, and the service that gives them');
  for (const register of [
    serveCommand,
    keysCommands,
    createCommand,
    listCommand,
    execCommand,
    shellCommand,
    cpCommand,
    gitCommands,
    eventsCommand,
    destroyCommand,
    mcpCommand,
    chatCommand,
  ]) {
    register(sandbox, runner);
  }
};
