import { once } from 'node:events';
import { MngrFargateError } from '../../contract/errors';
import type { CommandSession, TerminalSize } from '../../session/index';
import { shellCommand } from '../../util/shell-quote';
import type { EcsTasks } from '../ecs-tasks';
import { openTaskCommand } from '../exec/task-session';
import { findTasks } from '../find';
import type { Target } from '../resolve';

export interface ConnectOptions {
  /** The user's terminal. */
  readonly stdin: NodeJS.ReadStream;
  readonly stdout: NodeJS.WriteStream;
  /** Default: bash where the container has it, else sh. */
  readonly command?: readonly string[];
  /** Told once, when ECS has begun to stop the task. */
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
  const session = await openTaskCommand(tasks, target, shellCommand(command), { size: sizeOf(stdout), signal });
  const watch = watchTask(tasks, target, options);
  const restore = attach(session, options);
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

const sizeOf = ({ columns, rows }: NodeJS.WriteStream): TerminalSize | undefined =>
  columns > 0 && rows > 0 ? { columns, rows } : undefined;

/** Connects the keys and the size of the terminal. The result puts everything back. */
function attach(session: CommandSession, { stdin, stdout }: ConnectOptions): () => void {
  const onResize = (): void => {
    const size = sizeOf(stdout);
    if (size !== undefined) session.resize(size);
  };
  const restoreMode = (): void => void stdin.setRawMode(false);
  stdin.setRawMode(true);
  // The second signal ends the program at once.
  process.once('exit', restoreMode);
  stdout.on('resize', onResize);
  stdin.pipe(session.input, { end: false });
  return () => {
    stdin.unpipe(session.input);
    stdin.pause();
    stdout.off('resize', onResize);
    process.off('exit', restoreMode);
    restoreMode();
  };
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

const endedBecause = (reason: string): MngrFargateError =>
  new MngrFargateError('failed', `the session ended: ${reason.replace(/^-+ERROR-+\s*/, '')}`, {
    hint: /executable file not found|no such file/.test(reason)
      ? 'the container has no such program: name one that it has after --'
      : undefined,
  });
