import { terminalSize } from '../../util/user-terminal';
import { connectToTask } from '../connect/terminal';
import type { EcsTasks } from '../ecs-tasks';
import type { Target } from '../resolve';
import { refuseSettings } from './exec-in-task';
import { withScriptSession } from './script-session';
import { openTaskCommand } from './task-session';
import { TerminalCommand } from './terminal-command';
import type { TerminalCommandOptions } from './terminal-command';

/**
 * Runs a command in a task's container on a terminal there, with the user's own terminal as its keys and its screen, and
 * answers with its exit code as a shell has it. Undefined from a container without `sh`, where the program is run directly.
 * Throws as `openTaskCommand` and `TerminalCommand.run`.
 */
export async function execOnTerminal(
  tasks: EcsTasks,
  target: Target,
  options: TerminalCommandOptions,
): Promise<number | undefined> {
  const onTerminal = new TerminalCommand(options);
  const opening = { size: terminalSize(options), signal: options.signal };
  const session = await openTaskCommand(tasks, target, onTerminal.commandLine(), opening);
  const exitCode = await withScriptSession(session, (opened) => onTerminal.run(opened));
  if (exitCode !== undefined) return exitCode;
  refuseSettings(target, options);
  await connectToTask(tasks, target, options);
  return undefined;
}
