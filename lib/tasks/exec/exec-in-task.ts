import { MngrFargateError } from '../../contract/errors';
import type { CommandSession } from '../../session/index';
import { shellCommand } from '../../util/shell-quote';
import type { EcsTasks } from '../ecs-tasks';
import type { Target } from '../resolve';
import { openTaskCommand } from './task-session';
import type { TaskSessionOptions } from './task-session';
import { WrappedCommand } from './wrapped-command';
import type { WrappedCommandOptions, WrappedExit } from './wrapped-command';

/** How a command in a task ended. `known` is false where the container has no shell that could tell. */
export type TaskExit = (WrappedExit & { readonly known: true }) | { readonly known: false };

/** The agent's words where a program isn't there (amazon-ssm-agent, `Failed to start pty`). */
const NO_SUCH_PROGRAM = /Failed to start pty: .*(?:executable file not found|no such file or directory)/;

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
  try {
    return { ...(await wrapped.run(session)), known: true };
  } catch (error) {
    const reason = await reasonOf(session, error);
    if (!NO_SUCH_PROGRAM.test(reason)) throw reason === '' ? error : startError(reason, error);
  } finally {
    await session.close();
  }
  return withoutShell(tasks, target, options);
}

/** Why the service ended the session; empty where it says nothing, or where something else went wrong. */
async function reasonOf(session: CommandSession, error: unknown): Promise<string> {
  if (!(error instanceof MngrFargateError) || error.code !== 'unreachable') return '';
  const { reason } = await session.ended;
  return reason.trim();
}

const startError = (reason: string, cause: unknown): MngrFargateError =>
  new MngrFargateError('failed', `the session ended: ${reason.replace(/^-+ERROR-+\s*/, '')}`, { cause });

async function withoutShell(tasks: EcsTasks, target: Target, options: ExecInTaskOptions): Promise<TaskExit> {
  const { command, env = {}, workingDirectory, timeout, stdout, needsShell = false } = options;
  if (needsShell) throw new MngrFargateError('failed', `container ${target.container} has no sh, so nothing was run`);
  if (Object.keys(env).length > 0 || workingDirectory !== undefined || timeout !== undefined) {
    throw new MngrFargateError('failed', `container ${target.container} has no sh, so nothing was run`, {
      hint: 'leave out --env, --workdir and --timeout: the program is then run directly',
    });
  }
  const session = await openTaskCommand(tasks, target, shellCommand(command), options);
  try {
    for await (const piece of session.output) {
      if (!stdout.write(piece)) await new Promise((resolve) => stdout.once('drain', resolve));
    }
    const { reason } = await session.ended;
    if (reason.trim() !== '') throw startError(reason.trim(), undefined);
    return { known: false };
  } finally {
    await session.close();
  }
}
