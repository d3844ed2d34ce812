/** What an AWS error carries besides its code and message. */
export interface AwsErrorDetails {
  /** HTTP status. Default 400. */
  readonly status?: number;
  /** Further members of the error's shape, for example `resourceIds` of ConflictException. */
  readonly members?: Readonly<Record<string, unknown>>;
}

/** An error answered to the caller. `code` is the name that SDKs show, for example `ClusterNotFoundException`. */
export class AwsError extends Error {
  override readonly name = 'AwsError';
  readonly status: number;
  readonly members: Readonly<Record<string, unknown>>;

  constructor(
    readonly code: string,
    message: string,
    details: AwsErrorDetails = {},
  ) {
    super(message);
    this.status = details.status ?? 400;
    this.members = details.members ?? {};
  }

  /** `Sender` for errors of the caller's, `Receiver` for the service's own. */
  get fault(): 'Sender' | 'Receiver' {
    return this.status >= 500 ? 'Receiver' : 'Sender';
  }
}
