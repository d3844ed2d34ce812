import type { StaticOperationSchema } from '@smithy/types';
import type { AccessRequest } from '../iam/policy';
import type { Principal } from '../iam/principal';
import type { AwsError } from '../wire/aws-error';
import type { WireProtocol } from '../wire/wire-protocol';

/** Everything an operation knows of the call besides its input. */
export interface Call {
  readonly requestId: string;
  readonly principal: Principal;
  /** Access key that signed the call. */
  readonly accessKeyId: string;
  /** Throws the service's access-denied error unless the caller's policies allow the request. */
  authorize(request: AccessRequest): void;
  /** True when the caller's policies allow the request. */
  allows(request: AccessRequest): boolean;
}

export type Handler<Input, Output> = (input: Input, call: Call) => Output | Promise<Output>;

/** A handler whose input the decoder has made by its operation's schema. */
export type AnyHandler = Handler<never, unknown>;

/** One AWS API as the endpoint serves it. */
export interface Service {
  /** As in credential scopes: `ecs`, `ec2`, `sts`, `cloudformation`, `logs`. */
  readonly signingName: string;
  readonly protocol: WireProtocol;
  /** Before the dot of `X-Amz-Target`; JSON services. */
  readonly targetPrefix?: string;
  /** The `Version` parameter; query services. */
  readonly apiVersion?: string;
  readonly xmlNamespace: string;
  readonly operations: ReadonlyMap<string, StaticOperationSchema>;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  /** The service's error for required members that the input lacks. */
  missingMembers(paths: readonly string[]): AwsError;
  /** The service's error for a refused call. */
  accessDenied(message: string): AwsError;
}
