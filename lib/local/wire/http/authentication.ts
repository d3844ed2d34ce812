import type { Credential } from '../../iam/principal';
import type { Service } from '../../services/service';
import type { World } from '../../world';
import { AwsError } from '../aws-error';
import type { WireProtocol } from '../wire-protocol';
import type { HttpRequest } from './request';
import { MAX_SKEW_MILLISECONDS, parseSignature, signatureMatches, timeOf } from './signature';

type Problem =
  'unsigned' | 'incomplete' | 'unknown-key' | 'wrong-signature' | 'wrong-scope' | 'request-expired' | 'token-expired';

interface Answer {
  readonly code: string;
  readonly status: number;
}

/** Error codes as the three protocols' services name them (each API's reference, "Common Errors"). */
const JSON_CODES: Readonly<Record<Problem, Answer>> = {
  unsigned: { code: 'MissingAuthenticationTokenException', status: 400 },
  incomplete: { code: 'IncompleteSignatureException', status: 400 },
  'unknown-key': { code: 'UnrecognizedClientException', status: 400 },
  'wrong-signature': { code: 'InvalidSignatureException', status: 400 },
  'wrong-scope': { code: 'InvalidSignatureException', status: 400 },
  'request-expired': { code: 'InvalidSignatureException', status: 400 },
  'token-expired': { code: 'ExpiredTokenException', status: 400 },
};

const QUERY_CODES: Readonly<Record<Problem, Answer>> = {
  unsigned: { code: 'MissingAuthenticationToken', status: 403 },
  incomplete: { code: 'IncompleteSignature', status: 400 },
  'unknown-key': { code: 'InvalidClientTokenId', status: 403 },
  'wrong-signature': { code: 'SignatureDoesNotMatch', status: 403 },
  'wrong-scope': { code: 'SignatureDoesNotMatch', status: 403 },
  'request-expired': { code: 'SignatureDoesNotMatch', status: 403 },
  'token-expired': { code: 'ExpiredToken', status: 403 },
};

const EC2_CODES: Readonly<Record<Problem, Answer>> = {
  ...QUERY_CODES,
  'unknown-key': { code: 'AuthFailure', status: 401 },
  'wrong-signature': { code: 'AuthFailure', status: 401 },
  'request-expired': { code: 'RequestExpired', status: 400 },
  'token-expired': { code: 'RequestExpired', status: 400 },
};

const CODES: Readonly<Record<WireProtocol['family'], Readonly<Record<Problem, Answer>>>> = {
  json: JSON_CODES,
  query: QUERY_CODES,
  ec2: EC2_CODES,
};

const timestampOf = (date: Date): string => date.toISOString().replace(/[-:]|\.\d{3}/g, '');

/** Who signed the request. Throws AwsError, in the service's terms, unless it is signed, fresh and by known keys. */
export function authenticate(
  request: HttpRequest,
  service: Pick<Service, 'signingName' | 'protocol'>,
  { iam, place, clock }: World,
): Credential {
  const refuse = (problem: Problem, message: string): AwsError => {
    const { code, status } = CODES[service.protocol.family][problem];
    return new AwsError(code, message, { status });
  };

  const signature = parseSignature(request);
  if (signature === undefined) throw refuse('unsigned', 'Request is missing Authentication Token');
  if (typeof signature === 'string') throw refuse('incomplete', signature);

  const credential = iam.credentials.find(signature.accessKeyId);
  const { principal } = credential ?? {};
  const token = request.headers['x-amz-security-token'];
  if (credential === undefined || credential.sessionToken !== token) {
    throw refuse('unknown-key', 'The security token included in the request is invalid.');
  }
  if (signature.service !== service.signingName) {
    throw refuse('wrong-scope', `Credential should be scoped to correct service: '${service.signingName}'.`);
  }
  // STS has a global endpoint whose requests are scoped to us-east-1 whatever the caller's region is.
  if (signature.region !== place.region && service.signingName !== 'sts') {
    throw refuse(
      'wrong-scope',
      `Credential should be scoped to a valid region, not '${signature.region}': this endpoint is ${place.region}.`,
    );
  }
  if (!signature.timestamp.startsWith(signature.date)) {
    throw refuse('wrong-scope', 'Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date.');
  }
  const now = new Date();
  const skew = now.getTime() - timeOf(signature.timestamp).getTime();
  if (Math.abs(skew) > MAX_SKEW_MILLISECONDS) {
    const problem = skew > 0 ? 'Signature expired' : 'Signature not yet current';
    const relation = skew > 0 ? 'earlier' : 'later';
    const limit = new Date(now.getTime() - Math.sign(skew) * MAX_SKEW_MILLISECONDS);
    throw refuse(
      'request-expired',
      `${problem}: ${signature.timestamp} is now ${relation} than ${timestampOf(limit)} (${timestampOf(now)} ${skew > 0 ? '-' : '+'} 5 min.)`,
    );
  }
  if (!signatureMatches(request, signature, credential.secretAccessKey)) {
    throw refuse(
      'wrong-signature',
      'The request signature we calculated does not match the signature you provided. ' +
        'Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  if (principal?.kind === 'session' && principal.expiresAt <= clock.now()) {
    throw refuse('token-expired', 'The security token included in the request is expired');
  }
  return credential;
}
