import { awsErrorOf } from '../../aws/aws-errors';
import { MngrFargateError } from '../../contract/errors';
import { openSession } from '../../session/index';
import type { CommandSession, SessionClients, TerminalSize } from '../../session/index';
import { pause } from '../../util/abort';
import { explainExecFailure } from '../doctor/explain';
import type { EcsTasks } from '../ecs-tasks';
import { stoppedError } from '../find';
import { resolveTarget } from '../resolve';
import type { Target } from '../resolve';

export interface TaskSessionOptions {
  /** Default: the agent's own 300 columns and 100 rows. */
  readonly size?: TerminalSize;
  readonly signal?: AbortSignal;
  /** Milliseconds in which the task must start and its agent answer. Default: a minute. */
  readonly patience?: number;
}

/** ECS's answers while the agent of a new container isn't connected yet, and also when it never will be. */
const NOT_YET: ReadonlySet<string> = new Set(['InvalidParameterException', 'TargetNotConnectedException']);
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1000;

/** The clients that sessions with a task need. */
export async function sessionClients({ clients }: EcsTasks): Promise<SessionClients> {
  const [ssm, kms] = await Promise.all([clients.ssm(), clients.kms()]);
  return { ecs: clients.ecs, ssm, kms };
}

/**
 * Starts a command in the container (`ecs:ExecuteCommand`). Refusals of a container whose agent has yet to connect are
 * waited out. A refusal that stays ends in the doctor's explanation. Throws as `openSession`; `task-stopped` when the task
 * ends meanwhile.
 */
export async function openTaskCommand(
  tasks: EcsTasks,
  target: Target,
  command: string,
  options: TaskSessionOptions = {},
): Promise<CommandSession> {
  const { size, signal, patience = PATIENCE_MS } = options;
  const clients = await sessionClients(tasks);
  const { cluster, taskArn: task, container } = target;
  const deadline = Date.now() + patience;
  for (;;) {
    try {
      return await openSession({
        request: { kind: 'command', cluster, task, container, command, size },
        clients,
        signal,
      });
    } catch (error) {
      if (!NOT_YET.has(awsErrorOf(error)?.name ?? '')) throw await explainExecFailure(tasks, target, error, signal);
      const now = await currentTarget(tasks, target, signal);
      if (!now.execEnabled) throw notEnabled(target, error);
      if (now.execAgent === 'STOPPED' || Date.now() > deadline)
        throw await explainExecFailure(tasks, now, error, signal);
      await pause(PAUSE_MS, 'waiting for the agent of ECS Exec', signal);
    }
  }
}

/** The target as it is now. Throws `task-stopped`. */
export async function currentTarget(tasks: EcsTasks, target: Target, signal?: AbortSignal): Promise<Target> {
  const { cluster, taskArn: task, container } = target;
  const now = await resolveTarget(tasks, { cluster, task, container }, { signal });
  if (now.task.desiredState === 'STOPPED') throw stoppedError(now.task, `task ${now.taskId} is stopping`);
  return now;
}

const notEnabled = ({ taskId }: Target, cause: unknown): MngrFargateError =>
  new MngrFargateError('failed', `task ${taskId} was started without ECS Exec`, {
    cause,
    hint: 'set enableExecuteCommand where tasks are started, and start a new one; it cannot be turned on in a running task',
  });
