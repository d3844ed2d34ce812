import type { SandboxdErrorCode } from '../../lib/contract/sandboxd';

/** A request that can't be done, for the answer `{"error": CODE, "detail": TEXT}`. */
export class Failure extends Error {
  constructor(
    readonly code: SandboxdErrorCode,
    detail: string,
  ) {
    super(detail);
  }
}

export const STATUS_OF: Readonly<Record<SandboxdErrorCode, number>> = {
  bad_request: 400,
  unauthorized: 401,
  permission_denied: 403,
  route_not_found: 404,
  event_not_found: 404,
  file_not_found: 404,
  is_a_directory: 400,
  not_a_directory: 400,
  file_exists: 409,
  directory_not_empty: 409,
  event_ended: 409,
  too_large: 413,
  range_not_satisfiable: 416,
  no_space: 507,
  internal: 500,
};
