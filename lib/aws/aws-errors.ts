import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import type { MngrFargateErrorCode } from '../contract/errors';
import { oneLine } from '../util/one-line';

interface Meaning {
  readonly code: MngrFargateErrorCode;
  readonly hint?: string;
}

const NEEDS_CREDENTIALS = 'log in again or set other credentials (`aws sts get-caller-identity` must work)';
const NEEDS_PERMISSION =
  'the operator role or policy of the environment has every permission that the launcher needs (outputs `OperatorRoleArn`, `OperatorPolicyArn`)';

/** AWS's error codes as codes of MngrFargateError. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  AccessDeniedException: { code: 'denied', hint: NEEDS_PERMISSION },
  AccessDenied: { code: 'denied', hint: NEEDS_PERMISSION },
  UnauthorizedOperation: { code: 'denied', hint: NEEDS_PERMISSION },
  CredentialsProviderError: { code: 'denied', hint: NEEDS_CREDENTIALS },
  ExpiredToken: { code: 'denied', hint: NEEDS_CREDENTIALS },
  ExpiredTokenException: { code: 'denied', hint: NEEDS_CREDENTIALS },
  UnrecognizedClientException: { code: 'denied', hint: NEEDS_CREDENTIALS },
  InvalidClientTokenId: { code: 'denied', hint: NEEDS_CREDENTIALS },
  InvalidSignatureException: { code: 'denied', hint: NEEDS_CREDENTIALS },
  SignatureDoesNotMatch: { code: 'denied', hint: NEEDS_CREDENTIALS },
  ClusterNotFoundException: { code: 'not-found', hint: 'deploy the environment, or set `ecs_cluster` to its cluster' },
  ClusterNotFound: { code: 'not-found', hint: 'deploy the environment, or set `ecs_cluster` to its cluster' },
  ServiceNotFoundException: { code: 'not-found' },
  LimitExceededException: { code: 'no-capacity' },
  PlatformTaskDefinitionIncompatibilityException: { code: 'usage' },
  InvalidParameterException: { code: 'usage' },
  TimeoutError: { code: 'unreachable', hint: 'check the network and `aws_region`' },
};

const NETWORK = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'ECONNRESET',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ETIMEDOUT',
]);

/** TLS errors of Node for a certificate that nobody whom this machine knows has signed. */
const UNKNOWN_CERTIFICATE = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
]);
const NEEDS_CERTIFICATES =
  'set AWS_CA_BUNDLE, or `ca_bundle` of the AWS profile, to a file with the CA certificates of your network';

/** An error of the SDK as a MngrFargateError. `doing` completes "cannot …". */
export function awsProblem(error: unknown, doing: string, signal?: AbortSignal): MngrFargateError {
  if (isMngrFargateError(error)) return error;
  const { name, message, code } = error as Error & { code?: string };
  if (signal?.aborted || name === 'AbortError') {
    return new MngrFargateError('aborted', `stopped: cannot ${doing}`, { cause: signal?.reason ?? error });
  }
  const meaning = meaningOf(name, message, code);
  return new MngrFargateError(meaning.code, `cannot ${doing}: ${oneLine(message)}`, {
    cause: error,
    hint: meaning.hint,
    details: { awsError: name },
  });
}

const LASTING: ReadonlySet<string> = new Set(['denied', 'not-found', 'usage']);

/** Whether AWS would say the same at every repetition: a refusal, and no failure that may pass. */
export const isLasting = (error: unknown): boolean => isMngrFargateError(error) && LASTING.has(error.code);

/** The error of the SDK behind one of ours. */
export const awsErrorOf = (error: unknown): Error | undefined =>
  isMngrFargateError(error) && error.cause instanceof Error ? error.cause : undefined;

function meaningOf(name: string, message: string, code: string | undefined): Meaning {
  if (isCapacity(message))
    return { code: 'no-capacity', hint: 'ask for a higher Fargate vCPU quota, or stop other tasks' };
  if (/unable to assume|security group|subnet/i.test(message) && name === 'InvalidParameterException')
    return { code: 'usage' };
  if (/unable to find task definition|TaskDefinition.*(not found|is inactive)/i.test(message)) {
    return { code: 'not-found', hint: 'deploy the environment, or set `task_definition` to its family' };
  }
  if (code !== undefined && UNKNOWN_CERTIFICATE.has(code)) return { code: 'unreachable', hint: NEEDS_CERTIFICATES };
  if (code !== undefined && NETWORK.has(code))
    return { code: 'unreachable', hint: 'check the network and `aws_region`' };
  return MEANINGS[name] ?? { code: 'failed' };
}

/** AWS's messages for an exhausted quota and for missing capacity (ECS developer guide, "API failure reasons", RunTask errors). */
export const isCapacity = (text: string): boolean =>
  /capacity is unavailable|no capacity|reached the limit on the number of (?:vCPUs|tasks)|RESOURCE:/i.test(text);
