import type { NormalizedSchema } from '@smithy/core/schema';
import type { AwsError } from './aws-error';

/** An HTTP request whose body has been read. */
export interface WireRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

export interface WireResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What an answer's envelope says besides its content. */
export interface Envelope {
  readonly operation: string;
  readonly requestId: string;
  readonly xmlNamespace: string;
}

/** How one AWS protocol puts operations, inputs, outputs and errors on the wire. */
export interface WireProtocol {
  /** Name of the operation that the request asks for; undefined when it names none. */
  operationOf(request: WireRequest): string | undefined;
  /** The input, by the operation's schema. Throws AwsError when the body can't be read as one. */
  decode(schema: NormalizedSchema, request: WireRequest): Record<string, unknown>;
  encode(schema: NormalizedSchema, output: unknown, envelope: Envelope): WireResponse;
  encodeError(error: AwsError, envelope: Envelope): WireResponse;
}
