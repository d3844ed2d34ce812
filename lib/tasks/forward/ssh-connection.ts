import { awsErrorOf } from '../../aws/aws-errors';
import { openSession } from '../../session/index';
import type { SshSession } from '../../session/index';
import { pause } from '../../util/abort';
import type { EcsTasks } from '../ecs-tasks';
import { explainExecFailure } from '../doctor/explain';
import { notStarted } from './port-sessions';
import { currentTarget, sessionClients } from '../exec/task-session';
import type { Target } from '../resolve';

export interface SshConnectionOptions {
  /** Default: 22. */
  readonly port?: number;
  readonly signal?: AbortSignal;
  /** Milliseconds in which the container must start and its agent answer. Default: a minute. */
  readonly patience?: number;
}

const SSH_PORT = 22;
const PATIENCE_MS = 60_000;
const PAUSE_MS = 1000;
/** AWS's errors for an agent that has yet to connect. */
const NOT_YET: ReadonlySet<string> = new Set(['TargetNotConnected', 'InternalServerError']);

/**
 * Opens a connection to an SSH server in the task, through Session Manager (`ssm:StartSession` of `AWS-StartSSHSession`). An
 * agent that has yet to connect is waited for. Throws as `openSession`, with the doctor's explanation; `task-stopped` when the
 * task ends meanwhile.
 */
export async function connectToSsh(
  tasks: EcsTasks,
  target: Target,
  { port = SSH_PORT, signal, patience = PATIENCE_MS }: SshConnectionOptions = {},
): Promise<SshSession> {
  const clients = await sessionClients(tasks);
  const deadline = Date.now() + patience;
  for (let now = target; ; now = await currentTarget(tasks, target, signal)) {
    try {
      if (now.sessionTarget !== null)
        return await openSession({ request: { kind: 'ssh', target: now.sessionTarget, port }, clients, signal });
      if (Date.now() > deadline) throw notStarted(target);
    } catch (error) {
      const isNotYet = NOT_YET.has(awsErrorOf(error)?.name ?? '') && now.execEnabled && now.execAgent !== 'STOPPED';
      if (!isNotYet || Date.now() > deadline) throw await explainExecFailure(tasks, now, error, signal, 'connection');
    }
    await pause(PAUSE_MS, 'waiting for the agent of ECS Exec', signal);
  }
}
