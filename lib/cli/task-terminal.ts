import { MngrFargateError } from '../contract/errors';
import type { EcsTasks, Target } from '../tasks/index';
import { printable } from '../util/printable';
import type { CliContext } from './context';

/** What gives this terminal to a container's shell, or to the command after `--`. Throws `usage` without a terminal. */
export function terminalOf(
  context: CliContext,
  command: 'connect' | 'shell',
): (tasks: EcsTasks, target: Target) => Promise<void> {
  const { stdin, stdout, stderr } = context.io;
  const instead = command === 'connect' ? 'exec' : 'shell';
  if (context.json || !stdin.isTTY || !stdout.isTTY) {
    const said =
      command === 'connect' ? 'connect to a task has no JSON output' : 'an interactive shell has no JSON output';
    throw new MngrFargateError('usage', context.json ? said : `${command} needs a terminal`, {
      hint: `run a command with: mngr-fargate ${instead} … -- COMMAND`,
    });
  }
  return async (tasks, target) => {
    const { connectToTask } = await import('../tasks/index.js');
    await connectToTask(tasks, target, {
      stdin,
      stdout,
      command: command === 'connect' ? context.passthrough : undefined,
      signal: context.signal,
      onStopping: (reason) =>
        stderr.write(`\r\nmngr-fargate: the task is stopping${reason === null ? '' : `: ${printable(reason)}`}\r\n`),
    });
  };
}
