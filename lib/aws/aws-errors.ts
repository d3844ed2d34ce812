import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import { oneLine } from '../util/one-line';
import { isNetworkError, reasonOf } from '../util/system-error';
import type { Meaning } from './aws-meanings';
import { EC2_MEANINGS, ECS_TEXTS, MEANINGS, POLICY_TEXTS } from './aws-meanings';

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
const WRONG_TIME = new Set(['CERT_HAS_EXPIRED', 'CERT_NOT_YET_VALID']);
const NOT_TLS = new Set(['EPROTO', 'ERR_SSL_WRONG_VERSION_NUMBER', 'ERR_SSL_PACKET_LENGTH_TOO_LONG']);
/** The names that ECS gives to many faults, which only their texts tell apart. */
const MANY_FAULTS = new Set(['ClientException', 'InvalidParameterException', 'ServerException']);

type SdkError = Error & {
  readonly code?: string;
  readonly address?: string;
  readonly $metadata?: { readonly httpStatusCode?: number };
};

/** An error of the SDK as a MngrFargateError. `doing` completes "cannot …". */
export function awsProblem(error: unknown, doing: string, signal?: AbortSignal): MngrFargateError {
  if (isMngrFargateError(error)) return error;
  const sdkError = error as SdkError;
  const { name } = sdkError;
  if (signal?.aborted || name === 'AbortError') {
    return new MngrFargateError('aborted', `stopped: cannot ${doing}`, { cause: signal?.reason ?? error });
  }
  const { code, says, hint } = explain(sdkError);
  return new MngrFargateError(code, `cannot ${doing}: ${oneLine(says)}`, {
    cause: error,
    hint,
    details: { awsError: name },
  });
}

const LASTING: ReadonlySet<string> = new Set(['denied', 'not-found', 'usage']);

/** Whether AWS would say the same at every repetition: a refusal, and no failure that may pass. */
export const isLasting = (error: unknown): boolean => isMngrFargateError(error) && LASTING.has(error.code);

/** The error of the SDK behind one of ours. */
export const awsErrorOf = (error: unknown): Error | undefined =>
  isMngrFargateError(error) && error.cause instanceof Error ? error.cause : undefined;

/** What went wrong, in AWS's words where it has some, and what it means. */
function explain(error: SdkError): Meaning & { readonly says: string } {
  const { message, $metadata: { httpStatusCode: status } = {} } = error;
  if (status !== undefined && isForeignAnswer(error)) return foreignAnswer(status);
  // Node's error for several addresses has no message of its own.
  const says = message || reasonOf(error) || error.name;
  return { says, ...meaningOf(error) };
}

function meaningOf(error: SdkError): Meaning {
  const { name, message } = error;
  const network = networkMeaning(error);
  if (network !== undefined) return network;
  const byText = MANY_FAULTS.has(name) ? textMeaning(message) : undefined;
  const byName = byText ?? MEANINGS[name] ?? EC2_MEANINGS.find(([pattern]) => pattern.test(name))?.[1];
  if (byName?.code !== 'denied') return byName ?? { code: 'failed' };
  // AWS's only words for a clock that is wrong, beside the names of EC2 and S3.
  if (/^Signature (?:expired|not yet current): /.test(message)) return MEANINGS.RequestExpired as Meaning;
  const policy = POLICY_TEXTS.find(([pattern]) => pattern.test(message));
  return policy === undefined ? byName : { code: 'denied', hint: policy[1] };
}

function networkMeaning(error: SdkError): Meaning | undefined {
  const code = codeOf(error);
  if (code === undefined) return undefined;
  if (UNKNOWN_CERTIFICATE.has(code)) return { code: 'unreachable', hint: NEEDS_CERTIFICATES };
  if (WRONG_TIME.has(code))
    return {
      code: 'unreachable',
      hint: 'set the clock of this machine; if the clock is right, the certificate has expired or is not valid yet',
    };
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID')
    return {
      code: 'unreachable',
      hint: 'something other than AWS answered: check the network, the proxy and AWS_ENDPOINT_URL',
    };
  if (NOT_TLS.has(code))
    return {
      code: 'unreachable',
      hint: 'the server that answered does not speak HTTPS: check AWS_ENDPOINT_URL and the proxy',
    };
  if (!isNetworkError(code)) return undefined;
  const isHere = /^(?:127\.|::1$)/.test(error.address ?? firstOf(error).address ?? '');
  if (code === 'ECONNREFUSED' && isHere)
    return {
      code: 'unreachable',
      hint: 'AWS_ENDPOINT_URL or a proxy points to this machine, where nothing is listening: start the endpoint (`mngr-fargate local up`), or unset the variable',
    };
  return { code: 'unreachable', hint: 'check the network, the proxy (HTTPS_PROXY) and `aws_region`' };
}

const firstOf = (error: SdkError): SdkError =>
  error instanceof AggregateError && error.errors[0] instanceof Error ? error.errors[0] : error;

const codeOf = (error: SdkError): string | undefined => error.code ?? firstOf(error).code;

/** Whether the SDK could make nothing of an answer: a page of a proxy or of a network's sign-in, or none at all. */
const isForeignAnswer = ({ name, message }: SdkError): boolean =>
  name === 'Unknown' || name === 'UnknownError' || message.includes('\n  Deserialization error:');

const foreignAnswer = (status: number): Meaning & { readonly says: string } =>
  status >= 500
    ? { ...(MEANINGS.ServiceUnavailable as Meaning), says: `the response was HTTP status ${status} without a reason` }
    : {
        code: 'unreachable',
        says: `the response (HTTP status ${status}) did not come from AWS`,
        hint: 'a proxy, or the sign-in page of a network, may have answered: check HTTPS_PROXY and AWS_ENDPOINT_URL',
      };

/** The meaning of a text of ECS: an error's message, a failure's reason, or a task's stop reason. */
export const textMeaning = (text: string): Meaning | undefined =>
  ECS_TEXTS.find(([pattern]) => pattern.test(text.replace(/^(?:\w+Exception|\w+Error|TaskFailedToStart): /, '')))?.[1];

/** Whether ECS says that a quota is used up, or that Fargate has no capacity. */
export const isCapacity = (text: string): boolean => textMeaning(text)?.code === 'no-capacity';
