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

/** What a request says about the service and the operation that it is for. */
export interface RequestTarget {
  /** The header `X-Amz-Target`: `AmazonEC2ContainerServiceV20141113.RunTask`. */
  readonly header: string | undefined;
  /** The parameters `Version` and `Action`. */
  readonly version: string | undefined;
  readonly action: string | undefined;
}

/** What a response's envelope contains besides its content. */
export interface Envelope {
  readonly operation: string;
  readonly requestId: string;
}

/** How one service puts operations, inputs, outputs and errors on the wire. */
export interface WireProtocol {
  /** Services of a family name the errors of authentication alike. */
  readonly family: 'json' | 'query' | 'ec2';
  /** True when the request is for this service. */
  serves(target: RequestTarget): boolean;
  /** Name of the operation that the request asks for; undefined if it names none. */
  operationOf(target: RequestTarget): string | undefined;
  /** The input, by the operation's schema. Throws AwsError when the body can't be read as one. */
  decode(schema: NormalizedSchema, request: WireRequest): Record<string, unknown>;
  encode(schema: NormalizedSchema, output: unknown, envelope: Envelope): WireResponse;
  encodeError(error: AwsError, envelope: Envelope): WireResponse;
}
