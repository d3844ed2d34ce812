/** Every code that an error of the API can have. */
export type SandboxErrorCode = keyof typeof CLASSES;

interface ErrorFacts {
  readonly status: number;
  readonly suggestion?: string;
  /** The field of the request that is wrong. */
  readonly field?: string;
  readonly requestId?: string;
  /** What the header Retry-After said. */
  readonly retryAfterSeconds?: number;
  /** Of `sync_timeout`: the event that goes on. */
  readonly seq?: number;
}

/**
 * An error that the service answered with. `code` tells which; each code has a class of its own besides, so
 * `error instanceof SessionNotFoundError` works too. A code of a newer service, which this client doesn't know, is a plain
 * SandboxApiError.
 */
export class SandboxApiError extends Error {
  override readonly name: string = 'SandboxApiError';
  readonly status: number;
  readonly suggestion: string | undefined;
  readonly field: string | undefined;
  readonly requestId: string | undefined;
  readonly retryAfterSeconds: number | undefined;
  readonly seq: number | undefined;

  constructor(
    readonly code: string,
    detail: string,
    facts: ErrorFacts,
  ) {
    super(detail);
    this.status = facts.status;
    this.suggestion = facts.suggestion;
    this.field = facts.field;
    this.requestId = facts.requestId;
    this.retryAfterSeconds = facts.retryAfterSeconds;
    this.seq = facts.seq;
  }
}

/** A class for one code. */
function errorClass<Code extends string>(code: Code, name: string) {
  return class extends SandboxApiError {
    override readonly name = name;
    declare readonly code: Code;
    constructor(detail: string, facts: ErrorFacts) {
      super(code, detail, facts);
    }
  };
}

export class BadRequestError extends errorClass('bad_request', 'BadRequestError') {}
export class UnauthorizedError extends errorClass('unauthorized', 'UnauthorizedError') {}
export class ForbiddenError extends errorClass('forbidden', 'ForbiddenError') {}
export class SessionNotFoundError extends errorClass('session_not_found', 'SessionNotFoundError') {}
export class EventNotFoundError extends errorClass('event_not_found', 'EventNotFoundError') {}
export class FileNotFoundError extends errorClass('file_not_found', 'FileNotFoundError') {}
export class RouteNotFoundError extends errorClass('route_not_found', 'RouteNotFoundError') {}
export class KeyNotFoundError extends errorClass('key_not_found', 'KeyNotFoundError') {}
export class SyncTimeoutError extends errorClass('sync_timeout', 'SyncTimeoutError') {}
export class SessionExistsError extends errorClass('session_exists', 'SessionExistsError') {}
export class KeyExistsError extends errorClass('key_exists', 'KeyExistsError') {}
export class IdempotencyConflictError extends errorClass('idempotency_conflict', 'IdempotencyConflictError') {}
export class EventEndedError extends errorClass('event_ended', 'EventEndedError') {}
export class ConflictError extends errorClass('conflict', 'ConflictError') {}
export class RequestTimeoutError extends errorClass('request_timeout', 'RequestTimeoutError') {}
export class UnsupportedMediaTypeError extends errorClass('unsupported_media_type', 'UnsupportedMediaTypeError') {}
export class UpgradeRequiredError extends errorClass('upgrade_required', 'UpgradeRequiredError') {}
export class TooLargeError extends errorClass('too_large', 'TooLargeError') {}
export class RangeNotSatisfiableError extends errorClass('range_not_satisfiable', 'RangeNotSatisfiableError') {}
export class PermissionDeniedError extends errorClass('permission_denied', 'PermissionDeniedError') {}
export class IsADirectoryError extends errorClass('is_a_directory', 'IsADirectoryError') {}
export class NotADirectoryError extends errorClass('not_a_directory', 'NotADirectoryError') {}
export class FileExistsError extends errorClass('file_exists', 'FileExistsError') {}
export class DirectoryNotEmptyError extends errorClass('directory_not_empty', 'DirectoryNotEmptyError') {}
export class NoSpaceError extends errorClass('no_space', 'NoSpaceError') {}
export class RateLimitedError extends errorClass('rate_limited', 'RateLimitedError') {}
export class QuotaExceededError extends errorClass('quota_exceeded', 'QuotaExceededError') {}
export class MaxContainersError extends errorClass('max_containers', 'MaxContainersError') {}
export class StartFailedError extends errorClass('start_failed', 'StartFailedError') {}
export class SessionUnavailableError extends errorClass('session_unavailable', 'SessionUnavailableError') {}
export class PortUnreachableError extends errorClass('port_unreachable', 'PortUnreachableError') {}
export class ShuttingDownError extends errorClass('shutting_down', 'ShuttingDownError') {}
export class InternalError extends errorClass('internal', 'InternalError') {}

const CLASSES = {
  bad_request: BadRequestError,
  unauthorized: UnauthorizedError,
  forbidden: ForbiddenError,
  session_not_found: SessionNotFoundError,
  event_not_found: EventNotFoundError,
  file_not_found: FileNotFoundError,
  route_not_found: RouteNotFoundError,
  key_not_found: KeyNotFoundError,
  sync_timeout: SyncTimeoutError,
  session_exists: SessionExistsError,
  key_exists: KeyExistsError,
  idempotency_conflict: IdempotencyConflictError,
  event_ended: EventEndedError,
  conflict: ConflictError,
  request_timeout: RequestTimeoutError,
  unsupported_media_type: UnsupportedMediaTypeError,
  upgrade_required: UpgradeRequiredError,
  too_large: TooLargeError,
  range_not_satisfiable: RangeNotSatisfiableError,
  permission_denied: PermissionDeniedError,
  is_a_directory: IsADirectoryError,
  not_a_directory: NotADirectoryError,
  file_exists: FileExistsError,
  directory_not_empty: DirectoryNotEmptyError,
  no_space: NoSpaceError,
  rate_limited: RateLimitedError,
  quota_exceeded: QuotaExceededError,
  max_containers: MaxContainersError,
  start_failed: StartFailedError,
  session_unavailable: SessionUnavailableError,
  port_unreachable: PortUnreachableError,
  shutting_down: ShuttingDownError,
  internal: InternalError,
} as const;

/** The codes that have a class. */
export const ERROR_CODES = Object.keys(CLASSES) as readonly SandboxErrorCode[];

const hasClass = (code: string): code is SandboxErrorCode => Object.hasOwn(CLASSES, code);

/** The error of a code. */
export function apiError(code: string, detail: string, facts: ErrorFacts): SandboxApiError {
  return hasClass(code) ? new CLASSES[code](detail, facts) : new SandboxApiError(code, detail, facts);
}

/** Nothing answered, or what answered is no sandbox service. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

/** A setting or an argument of this client is missing or wrong. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** A command that did not come to an end of its own: it could not be started (`refused`), or was lost with its host. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  constructor(
    readonly reason: 'lost' | 'refused',
    detail: string,
    readonly seq: number,
  ) {
    super(detail);
  }
}
