/** Every error code of the API, with its status and what the caller can do. */
export const SANDBOX_ERRORS = {
  bad_request: { status: 400, suggestion: 'see GET /openapi.json for what this route takes' },
  unauthorized: { status: 401, suggestion: 'send a valid key in the header X-Sandbox-Secret' },
  forbidden: { status: 403, suggestion: 'use a key that may do this' },
  session_not_found: { status: 404, suggestion: 'create the session, or check its id and the key' },
  event_not_found: { status: 404, suggestion: 'list the events of the session with GET /sandbox/{id}/history' },
  file_not_found: { status: 404, suggestion: 'list the folder with GET /sandbox/{id}/fs/list' },
  route_not_found: { status: 404, suggestion: 'see GET /openapi.json for the routes' },
  key_not_found: { status: 404, suggestion: 'list the keys' },
  sync_timeout: { status: 408, suggestion: 'the command is still running: wait for its event' },
  session_exists: { status: 409, suggestion: 'use another id, or destroy the session first' },
  key_exists: { status: 409, suggestion: 'use another name, or revoke the key first' },
  idempotency_conflict: { status: 409, suggestion: 'use a new Idempotency-Key for another request' },
  event_ended: { status: 409, suggestion: 'the command has ended: submit another' },
  conflict: { status: 409, suggestion: 'look at the present state and try again' },
  request_timeout: { status: 408, suggestion: 'send the request without pauses' },
  unsupported_media_type: { status: 415, suggestion: 'send JSON with the header Content-Type: application/json' },
  upgrade_required: { status: 426, suggestion: 'open this route as a WebSocket' },
  too_large: { status: 413, suggestion: 'send less, or stream it with PUT /sandbox/{id}/fs/raw' },
  range_not_satisfiable: { status: 416, suggestion: 'ask for a range within the file' },
  permission_denied: { status: 403, suggestion: "the sandbox's user may not do this" },
  is_a_directory: { status: 400, suggestion: 'name a file' },
  not_a_directory: { status: 400, suggestion: 'name a folder' },
  file_exists: { status: 409, suggestion: 'use another path' },
  directory_not_empty: { status: 409, suggestion: 'empty the folder first, or delete it with "recursive": true' },
  no_space: { status: 507, suggestion: 'delete files in the sandbox' },
  rate_limited: { status: 429, suggestion: 'wait for the time in Retry-After' },
  quota_exceeded: { status: 429, suggestion: 'destroy sessions of this key first' },
  max_containers: { status: 503, suggestion: 'wait for the time in Retry-After, or raise MAX_CONTAINERS' },
  start_failed: { status: 502, suggestion: 'see GET /sandbox/{id}/diagnostics' },
  session_unavailable: { status: 503, suggestion: 'see GET /sandbox/{id}/diagnostics' },
  port_unreachable: { status: 502, suggestion: 'start a server on that port in the sandbox' },
  shutting_down: { status: 503, suggestion: 'try again in a moment' },
  internal: { status: 500, suggestion: 'report the request id to the operator' },
} as const;

/** Of a `bad_request` that names the field. */
const FIELD_SUGGESTION = 'correct the field that is named';

export type SandboxErrorCode = keyof typeof SANDBOX_ERRORS;

/** Every error that the service throws on purpose. */
export class SandboxError extends Error {
  override readonly name = 'SandboxError';
  readonly status: number;
  readonly suggestion: string;
  readonly field: string | undefined;
  readonly retryAfterSeconds: number | undefined;

  constructor(
    readonly code: SandboxErrorCode,
    message: string,
    options: {
      readonly cause?: unknown;
      readonly suggestion?: string;
      readonly field?: string;
      readonly retryAfterSeconds?: number;
    } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.status = SANDBOX_ERRORS[code].status;
    this.suggestion =
      options.suggestion ??
      (code === 'bad_request' && options.field !== undefined ? FIELD_SUGGESTION : SANDBOX_ERRORS[code].suggestion);
    this.field = options.field;
    this.retryAfterSeconds = options.retryAfterSeconds;
  }
}

export const isSandboxError = (error: unknown): error is SandboxError =>
  error instanceof Error && error.name === 'SandboxError';
