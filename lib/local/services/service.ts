import type { StaticOperationSchema } from '@smithy/types';
import type { ControlRoutes } from '../control/routes';
import type { ThrottleGroup } from '../control/throttles';
import type { AccessRequest } from '../iam/policy';
import type { Principal } from '../iam/principal';
import type { AwsError } from '../wire/aws-error';
import type { UpgradeRoute } from '../wire/http/upgrades';
import type { WireProtocol } from '../wire/wire-protocol';

/** Everything an operation knows of the call besides its input. */
export interface Call {
  readonly requestId: string;
  readonly principal: Principal;
  /** Access key that signed the call. */
  readonly accessKeyId: string;
  /** Host and port that the caller has called, as its `Host` header gives them. */
  readonly host: string;
  /** Throws the service's access-denied error unless the caller's policies allow the request. */
  authorize(request: AccessRequest): void;
  /** True when the caller's policies allow the request. */
  allows(request: AccessRequest): boolean;
}

export type Handler<Input, Output> = (input: Input, call: Call) => Output | Promise<Output>;

/** A handler whose input has been decoded by its operation's schema. */
export type AnyHandler = Handler<never, unknown>;

/** The errors that every operation of a service can answer with, as that service names them. */
export interface CommonErrors {
  /** Required members that the input lacks, by their paths. */
  missingMembers(paths: readonly string[]): AwsError;
  /** A call that the caller's policies don't allow; `message` is IAM's sentence. */
  accessDenied(message: string): AwsError;
  /** A call beyond the service's limits. */
  throttled(): AwsError;
}

/** One AWS API as the endpoint serves it. */
export interface Service {
  /** As in credential scopes: `ecs`, `ec2`, `sts`, `cloudformation`, `logs`. */
  readonly signingName: string;
  /** How requests for this service are recognised, read and answered. */
  readonly protocol: WireProtocol;
  readonly operations: ReadonlyMap<string, StaticOperationSchema>;
  readonly handlers: Readonly<Record<string, AnyHandler>>;
  readonly errors: CommonErrors;
  /** Operations whose calls CloudTrail records, as far as anybody here asks for them. */
  readonly trailed?: ReadonlySet<string>;
  /** Request limits that AWS publishes, in force while throttling is switched on. */
  readonly throttles?: readonly ThrottleGroup[];
  /** Paths at which the service takes WebSocket connections. */
  readonly upgrades?: readonly UpgradeRoute[];
  /** What the control API may do to this service, by `METHOD path`. */
  readonly controls?: ControlRoutes;
  /** Continues what an earlier endpoint had begun; called once, before the first request. */
  start?(): Promise<void>;
  /** Releases what is in progress; called once, after the last request. */
  close?(): Promise<void>;
}
