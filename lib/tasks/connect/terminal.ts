import { once } from 'node:events';
import type { UserTerminal } from '../../contract/user-terminal';
import { shellCommand } from '../../util/shell-quote';
import { giveTerminal, terminalSize } from '../../util/user-terminal';
import type { EcsTasks } from '../ecs-tasks';
import { endedBecause } from '../exec/script-session';
import { openTaskCommand } from '../exec/task-session';
import { findTasks } from '../find';
import type { Target } from '../resolve';

export interface ConnectOptions extends UserTerminal {
  /** Default: bash where the container has it, else sh. */
  readonly command?: readonly string[];
  /** Called once, when ECS has begun to stop the task. */
  readonly onStopping?: (reason: string | null) => void;
  readonly signal?: AbortSignal;
}

const SHELL = ['sh', '-c', 'command -v bash >/dev/null 2>&1 && exec bash; exec sh'];
/** Milliseconds between two looks at the task: two calls in the time in which a container gets its SIGTERM and SIGKILL. */
const LOOK_MS = 10_000;

/**
 * Gives the user's terminal to a command in a task's container until that ends. The keys go there as they are, Ctrl-C among
 * them. The terminal is as it was on every way out. Throws as `openTaskCommand`, and `failed` with the agent's words for a
 * command that can't be started.
 */
export async function connectToTask(tasks: EcsTasks, target: Target, options: ConnectOptions): Promise<void> {
  const { stdout, command = SHELL, signal } = options;
  const session = await openTaskCommand(tasks, target, shellCommand(command), { size: terminalSize(options), signal });
  const watch = watchTask(tasks, target, options);
  const restore = giveTerminal(options, session);
  try {
    for await (const piece of session.output as AsyncIterable<Buffer>) {
      if (!stdout.write(piece)) await once(stdout, 'drain', { signal });
    }
    const reason = (await session.ended).reason.trim();
    if (reason !== '') throw endedBecause(reason);
  } finally {
    restore();
    clearInterval(watch);
    await session.close();
  }
}

function watchTask(tasks: EcsTasks, target: Target, { onStopping, signal }: ConnectOptions): NodeJS.Timeout {
  const look = async (): Promise<void> => {
    const [task] = await findTasks(tasks, { cluster: target.cluster, task: target.taskArn }, { signal });
    if (task?.desiredState !== 'STOPPED') return;
    clearInterval(timer);
    onStopping?.(task.stoppedReason);
  };
  // A look that fails says nothing about the task.
  const timer = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  return timer;
}
