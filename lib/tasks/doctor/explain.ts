import { awsErrorOf } from '../../aws/aws-errors';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import type { EcsTasks } from '../ecs-tasks';
import type { Target } from '../resolve';
import { diagnose } from './diagnose';
import type { Diagnosis, Finding } from './finding';

/** What was tried: a command (`ecs:ExecuteCommand`), or a connection to a port (`ssm:StartSession`). */
export type Attempt = 'command' | 'connection';

const NOT_CONNECTED = "ECS Exec's agent in the container is not connected to Session Manager";

/** What AWS's own errors mean, where no check finds the cause. */
const MEANINGS: Readonly<Record<Attempt, Readonly<Record<string, string>>>> = {
  command: {
    TargetNotConnectedException: NOT_CONNECTED,
    InvalidParameterException: "the task was started without ECS Exec, or its agent isn't running yet",
    AccessDeniedException: 'you may not run commands in this container',
  },
  connection: {
    TargetNotConnected: NOT_CONNECTED,
    AccessDeniedException: 'you may not open connections to it (ssm:StartSession)',
  },
};

const TRIED: Readonly<Record<Attempt, string>> = {
  command: 'cannot run commands in',
  connection: 'cannot connect to ports of',
};

/** Findings that can be the cause of an error; of others the doctor only warns. */
const CAUSES: Readonly<Record<Attempt, Readonly<Record<string, (finding: Finding) => boolean>>>> = {
  command: { AccessDeniedException: ({ id }) => id.startsWith('caller-') },
  // The doctor doesn't ask whether the caller may start sessions: that's an opt-in of its own.
  connection: { AccessDeniedException: () => false },
};

/**
 * A failed ExecuteCommand or StartSession with its cause: the doctor looks at the target, and the first error that it finds
 * becomes the message and the hint. `details.findings` and `details.unchecked` have all of it. Other errors are returned as
 * they are.
 */
export async function explainExecFailure(
  tasks: EcsTasks,
  target: Target,
  error: unknown,
  signal?: AbortSignal,
  attempt: Attempt = 'command',
): Promise<unknown> {
  const name = awsErrorOf(error)?.name ?? (error instanceof Error ? error.name : '');
  const meaning = MEANINGS[attempt][name];
  if (meaning === undefined) return error;
  const diagnosis = await diagnose(tasks, target, signal).catch((): Diagnosis => ({ findings: [], unchecked: [] }));
  const isCause = CAUSES[attempt][name] ?? (() => true);
  const errors = diagnosis.findings.filter((finding) => finding.severity === 'error' && isCause(finding));
  // What isn't up yet is only a warning.
  const cause =
    errors[0] ?? diagnosis.findings.find(({ id, severity }) => id === 'exec-agent' && severity === 'warning');
  const where = `container ${target.container} of task ${target.taskId}`;
  const said = awsErrorOf(error)?.message ?? (error instanceof Error ? error.message : String(error));
  return new MngrFargateError(
    name === 'AccessDeniedException' ? 'denied' : 'unreachable',
    `${TRIED[attempt]} ${where}: ${cause?.message ?? meaning}`,
    {
      cause: error,
      hint: cause?.fix ?? hintWithout(target, diagnosis),
      details: {
        ...(isMngrFargateError(error) ? error.details : {}),
        awsError: name,
        awsMessage: said,
        findings: diagnosis.findings,
        unchecked: diagnosis.unchecked,
      },
    },
  );
}

/** What to do where no cause was found. */
function hintWithout({ taskArn, container }: Target, { unchecked }: Diagnosis): string {
  const doctor = `mngr-fargate doctor --task ${taskArn} --container ${container}`;
  return unchecked.length === 0
    ? `try again in a moment, or replace the task; see ${doctor}`
    : `${unchecked.length} checks could not be made with these credentials; see ${doctor}`;
}
