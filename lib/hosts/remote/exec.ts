import { randomBytes } from 'node:crypto';
import type { HostChannel } from '../../contract/channel';
import { MngrFargateError } from '../../contract/errors';
import { variableProblem } from '../../contract/host-rules';
import { run, shellCommand, shellQuote } from '../../ssh';
import type { ExecOptions, ExecResult } from '../model/types';

/** Marks the processes of one command, so that an abort can find them. */
const MARK = 'MNGR_EXEC_ID';
/** Milliseconds. */
const TERMINATE_TIMEOUT = 5_000;

/**
 * Runs a program on the host with the variables of the host's environment file, and keeps stdout and stderr separate. On
 * abort it sends SIGTERM to the processes: sshd would leave them running (it delivers no signals to root's sessions).
 */
export async function execOnHost(
  channel: HostChannel,
  command: readonly string[],
  options: ExecOptions = {},
): Promise<ExecResult> {
  if (command.length === 0) throw new MngrFargateError('usage', 'the command is empty: give a program');
  const mark = randomBytes(8).toString('hex');
  try {
    return await channel.exec(commandLine(command, mark, options), options);
  } catch (error) {
    if (options.signal?.aborted) await terminate(channel, mark);
    throw error;
  }
}

function commandLine(command: readonly string[], mark: string, options: ExecOptions): string {
  const { env = {}, workingDirectory } = options;
  const assignments = Object.entries(env).map(([name, value]) => {
    const problem = variableProblem(name);
    if (problem !== undefined) throw new MngrFargateError('usage', problem);
    return `${name}=${value}`;
  });
  const steps = [
    'set -a; [ ! -r "${MNGR_HOST_DIR:-/mngr}/env" ] || . "${MNGR_HOST_DIR:-/mngr}/env"; set +a',
    ...(workingDirectory === undefined ? [] : [`cd -- ${shellQuote(workingDirectory)} || exit 1`]),
    `exec ${shellCommand(['env', `${MARK}=${mark}`, ...assignments, ...command])}`,
  ];
  return steps.join('\n');
}

async function terminate(channel: HostChannel, mark: string): Promise<void> {
  const script = `for process in /proc/[0-9]*; do
  [ "$process" != "/proc/$$" ] && grep -qsz '^${MARK}=${mark}$' "$process/environ" && kill -TERM "\${process#/proc/}"
done
true`;
  await run(channel, script, { signal: AbortSignal.timeout(TERMINATE_TIMEOUT) }).catch(() => undefined);
}
