import { MngrFargateError } from '../../contract/errors';
import type { CommandSession } from '../../session/index';

/** The agent's words where a program isn't there (amazon-ssm-agent, `Failed to start pty`). */
const NO_SUCH_PROGRAM = /Failed to start pty: .*(?:executable file not found|no such file or directory)/;

/**
 * Runs `work` with a session that was opened for a script, and closes it. Undefined where the container has no shell for the
 * script. Where the service says why the session ended, that is the error.
 */
export async function withScriptSession<Result>(
  session: CommandSession,
  work: (session: CommandSession) => Promise<Result>,
): Promise<Result | undefined> {
  try {
    return await work(session);
  } catch (error) {
    const reason = await reasonOf(session, error);
    if (NO_SUCH_PROGRAM.test(reason)) return undefined;
    throw reason === '' ? error : endedBecause(reason, error);
  } finally {
    await session.close();
  }
}

/** Why the service ended the session; empty where it says nothing, or where something else went wrong. */
async function reasonOf(session: CommandSession, error: unknown): Promise<string> {
  if (!(error instanceof MngrFargateError) || error.code !== 'unreachable') return '';
  const { reason } = await session.ended;
  return reason.trim();
}

/** The error of a session that the service ended with a reason. */
export const endedBecause = (reason: string, cause?: unknown): MngrFargateError =>
  new MngrFargateError('failed', `the session ended: ${reason.replace(/^-+ERROR-+\s*/, '')}`, {
    cause,
    hint: /executable file not found|no such file/.test(reason)
      ? 'the container has no such program: name one that it has after --'
      : undefined,
  });

/** Without a shell in the container, a program gets nothing that it doesn't get from the agent. */
export const noShellError = (container: string, hint?: string): MngrFargateError =>
  new MngrFargateError('failed', `container ${container} has no sh, so nothing was run`, { hint });
