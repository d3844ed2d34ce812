import { shellCommand } from '../../util/shell-quote';
import type { EcsTasks } from '../ecs-tasks';
import type { Target } from '../resolve';
import { endedBecause, noShellError, withScriptSession } from './script-session';
import { openTaskCommand } from './task-session';
import type { TaskSessionOptions } from './task-session';
import { WrappedCommand } from './wrapped-command';
import type { WrappedCommandOptions, WrappedExit } from './wrapped-command';

/** How a command in a task ended. `known` is false where the container has no shell that could tell. */
export type TaskExit = (WrappedExit & { readonly known: true }) | { readonly known: false };

export interface ExecInTaskOptions extends WrappedCommandOptions, Pick<TaskSessionOptions, 'patience'> {
  /** Refuse a container without `sh` (`failed`), instead of running the program directly. Default false. */
  readonly needsShell?: boolean;
}

/**
 * Runs a command in a task's container, with its exit code, its streams apart and every byte as it is. In a container
 * without `sh` it runs the program directly, on a terminal: all output is then on stdout, input and exit code are not
 * passed on. Throws as `openTaskCommand` and `WrappedCommand.run`.
 */
export async function execInTask(tasks: EcsTasks, target: Target, options: ExecInTaskOptions): Promise<TaskExit> {
  const wrapped = new WrappedCommand(options);
  const session = await openTaskCommand(tasks, target, wrapped.commandLine(), options);
  const exit = await withScriptSession(session, (opened) => wrapped.run(opened));
  return exit === undefined ? withoutShell(tasks, target, options) : { ...exit, known: true };
}

/** Throws `failed` for what a container without `sh` can't do. */
export function refuseSettings(
  { container }: Target,
  { env = {}, workingDirectory, timeout }: Pick<WrappedCommandOptions, 'env' | 'workingDirectory' | 'timeout'>,
): void {
  if (Object.keys(env).length === 0 && workingDirectory === undefined && timeout === undefined) return;
  throw noShellError(container, 'leave out --env, --workdir and --timeout: the program is then run directly');
}

async function withoutShell(tasks: EcsTasks, target: Target, options: ExecInTaskOptions): Promise<TaskExit> {
  const { command, stdout, needsShell = false } = options;
  if (needsShell) throw noShellError(target.container);
  refuseSettings(target, options);
  const session = await openTaskCommand(tasks, target, shellCommand(command), options);
  try {
    for await (const piece of session.output) {
      if (!stdout.write(piece)) await new Promise((resolve) => stdout.once('drain', resolve));
    }
    const { reason } = await session.ended;
    if (reason.trim() !== '') throw endedBecause(reason.trim());
    return { known: false };
  } finally {
    await session.close();
  }
}
