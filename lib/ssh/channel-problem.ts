import { MngrFargateError } from '../contract/errors';

/** What a server says when it opens no channel (RFC 4254, section 5.1). ssh2 puts it into the error as `reason`. */
const OPEN_FAILURE = { prohibited: 1, connectFailed: 2, unknownType: 3, shortage: 4 } as const;

export interface ChannelAttempt {
  /** Completes "cannot …". */
  readonly doing: string;
  readonly where: string;
  /** Why the connection ended, if it has. */
  readonly lost: Error | undefined;
  /** True if the channel should lead to an address, a port or a socket. */
  readonly leads: boolean;
}

/**
 * A channel that did not open. `unreachable` if the connection is gone, or nothing answers where the channel should lead;
 * `denied` if the server doesn't allow it; `failed` if it can't.
 */
export function channelProblem(error: Error, { doing, where, lost, leads }: ChannelAttempt): MngrFargateError {
  const fail = (code: MngrFargateError['code'], why: string, hint: string): MngrFargateError =>
    new MngrFargateError(code, `cannot ${doing} at ${where}: ${why}`, { cause: lost ?? error, hint });
  if (lost !== undefined || error.message === 'Not connected' || error.message === 'No response from server') {
    return fail(
      'unreachable',
      lost?.message ?? 'the connection was lost',
      'try again: the host or the network may have gone',
    );
  }
  const said = error.message.replace(/^\(SSH\) Channel open failure: /, '');
  switch ((error as { reason?: unknown }).reason) {
    case OPEN_FAILURE.prohibited:
      return fail(
        'denied',
        said,
        "the host's sshd doesn't allow it (`AllowTcpForwarding`, `PermitOpen`, `MaxSessions`)",
      );
    case OPEN_FAILURE.connectFailed:
      // OpenSSH also says this, with these words, of a session too many; and of a socket that isn't there.
      return said === 'open failed' && !leads
        ? fail('failed', said, 'the host has as many sessions over this connection as `MaxSessions` of its sshd allows')
        : fail('unreachable', said, 'nothing is listening there, as seen from the host: check the name and the port');
    case OPEN_FAILURE.unknownType:
      return fail('failed', said, "the host's SSH server can't do this: use the project's image, or OpenSSH");
    case OPEN_FAILURE.shortage:
      return fail('failed', said, 'the host is short of memory or processes: end some, or create a larger one');
    // ssh2's mark for a channel that closed instead of an answer.
    case '':
      return fail('unreachable', said, 'try again: the host may be ending');
    default:
  }
  if (/subsystem: sftp/.test(error.message)) {
    return fail(
      'failed',
      'its SSH server has no SFTP',
      'copies need it: add `Subsystem sftp internal-sftp` to sshd_config of the image',
    );
  }
  return fail('failed', said, "the host's SSH server refuses it: see the log of the host (`mngr-fargate logs`)");
}
