import type { MngrFargateErrorCode } from '../../../contract/errors';
import { isMngrFargateError, MngrFargateError } from '../../../contract/errors';
import { CommandError, SandboxApiError, UnreachableError, UsageError } from '../../../sandbox/client';
import type { SandboxErrorCode } from '../../../sandbox/client';

/** The service's codes in the command line's terms; those that are missing here are `failed`. */
const CODES: Readonly<Partial<Record<SandboxErrorCode, MngrFargateErrorCode>>> = {
  bad_request: 'usage',
  unauthorized: 'denied',
  forbidden: 'denied',
  permission_denied: 'denied',
  session_not_found: 'not-found',
  event_not_found: 'not-found',
  file_not_found: 'not-found',
  key_not_found: 'not-found',
  session_exists: 'already-exists',
  key_exists: 'already-exists',
  file_exists: 'already-exists',
  directory_not_empty: 'already-exists',
  is_a_directory: 'usage',
  not_a_directory: 'usage',
  rate_limited: 'no-capacity',
  quota_exceeded: 'no-capacity',
  max_containers: 'no-capacity',
  no_space: 'no-capacity',
  sync_timeout: 'timed-out',
  request_timeout: 'timed-out',
  start_failed: 'task-stopped',
  session_unavailable: 'unreachable',
  port_unreachable: 'unreachable',
  shutting_down: 'unreachable',
};

/** An error of the client as one of the command line's. Others stay as they are. */
export function sandboxProblem(error: unknown, signal: AbortSignal): unknown {
  if (isMngrFargateError(error)) return error;
  if (signal.aborted) return new MngrFargateError('aborted', 'aborted', { cause: error });
  if (error instanceof SandboxApiError) return fromService(error);
  if (error instanceof UsageError) return new MngrFargateError('usage', error.message, { cause: error });
  if (error instanceof UnreachableError) {
    return new MngrFargateError('unreachable', error.message, {
      cause: error,
      hint: 'see that the service runs, and that MNGR_SANDBOX_URL is its address',
    });
  }
  if (error instanceof CommandError) {
    return new MngrFargateError(error.reason === 'lost' ? 'task-stopped' : 'failed', error.message, {
      cause: error,
      details: { reason: error.reason, seq: error.seq },
    });
  }
  return error;
}

function fromService(error: SandboxApiError): MngrFargateError {
  const { code, status, field, requestId, retryAfterSeconds } = error;
  const details = { sandboxError: code, status, field, requestId, retryAfterSeconds };
  return new MngrFargateError(
    (CODES as Readonly<Record<string, MngrFargateErrorCode>>)[code] ?? 'failed',
    error.message,
    {
      cause: error,
      hint: error.suggestion,
      details: Object.fromEntries(Object.entries(details).filter(([, value]) => value !== undefined)),
    },
  );
}
