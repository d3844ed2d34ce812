/**
 * Why something failed, in terms that a caller can act on. The CLI's exit codes follow from these (docs/cli.md).
 * - `usage`: the caller's input is wrong; nothing was done.
 * - `not-found`, `already-exists`: the host or other thing named in the message does not exist, or already exists.
 * - `denied`: AWS or the host refused these credentials.
 * - `no-capacity`: Fargate has no capacity, or a quota is used up.
 * - `timed-out`: the deadline passed first.
 * - `aborted`: the caller's AbortSignal fired; anything that was started has been stopped.
 * - `unverified-host-key`: the machine at the address could not prove that it is this host.
 * - `task-stopped`: the task ended on its own before it was ready.
 * - `unreachable`: nothing answered at the host's address.
 * - `agent-not-ready`: the agent can't take text right now, so nothing was typed.
 * - `failed`: anything else.
 */
export type MngrFargateErrorCode =
  | 'usage'
  | 'not-found'
  | 'already-exists'
  | 'denied'
  | 'no-capacity'
  | 'timed-out'
  | 'aborted'
  | 'unverified-host-key'
  | 'task-stopped'
  | 'unreachable'
  | 'agent-not-ready'
  | 'failed';

/** Every error that this package throws on purpose. The message is lower case and has no period at the end. */
export class MngrFargateError extends Error {
  override readonly name = 'MngrFargateError';

  constructor(
    readonly code: MngrFargateErrorCode,
    message: string,
    options: {
      cause?: unknown;
      /** What the user can do next: one sentence or command. */
      hint?: string;
      /** Facts for `--json`, for example `{ stoppedReason, exitCode }`. */
      details?: Readonly<Record<string, unknown>>;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.hint = options.hint;
    this.details = options.details ?? {};
  }

  readonly hint: string | undefined;
  readonly details: Readonly<Record<string, unknown>>;
}

export const isMngrFargateError = (error: unknown): error is MngrFargateError =>
  error instanceof Error && error.name === 'MngrFargateError' && 'code' in error;
