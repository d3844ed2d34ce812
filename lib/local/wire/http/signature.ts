import { createHash, createHmac, timingSafeEqual } from 'node:crypto';
import type { HttpRequest, RequestHead } from './request';

const ALGORITHM = 'AWS4-HMAC-SHA256';
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
/** How far a request's time may be from ours (IAM user guide, "Elements of an AWS API request signature"). */
export const MAX_SKEW_MILLISECONDS = 5 * 60_000;

/** The parts of a Signature Version 4 `Authorization` header. */
export interface Signature {
  readonly accessKeyId: string;
  /** `YYYYMMDD` */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  readonly signedHeaders: readonly string[];
  readonly signature: string;
  /** `YYYYMMDDTHHMMSSZ` */
  readonly timestamp: string;
}

const sha256 = (data: Buffer | string): string => createHash('sha256').update(data).digest('hex');
const hmac = (key: Buffer | string, data: string): Buffer => createHmac('sha256', key).update(data).digest();

/** The signature of a request; undefined when it carries none, a text when what it carries can't be read. */
export function parseSignature(request: RequestHead): Signature | string | undefined {
  const { authorization } = request.headers;
  if (authorization === undefined) return undefined;
  const space = authorization.indexOf(' ');
  if (authorization.slice(0, space) !== ALGORITHM) return `the Authorization header must begin with ${ALGORITHM}`;
  const fields = new Map(
    authorization
      .slice(space + 1)
      .split(',')
      .map((field) => {
        const [name = '', ...value] = field.trim().split('=');
        return [name, value.join('=')] as const;
      }),
  );
  const missing = ['Credential', 'SignedHeaders', 'Signature'].filter((name) => !fields.get(name));
  if (missing.length > 0) return `the Authorization header requires '${missing.join("', '")}' parameter(s)`;
  const timestamp = request.headers['x-amz-date'];
  if (timestamp === undefined || !/^\d{8}T\d{6}Z$/.test(timestamp)) {
    return "the Authorization header requires existence of an 'X-Amz-Date' header like 20260102T030405Z";
  }
  const credential = (fields.get('Credential') as string).split('/');
  const [service = '', terminator] = credential.slice(-2);
  const [accessKeyId, date, region] = credential;
  if (credential.length !== 5 || terminator !== 'aws4_request' || !accessKeyId || !date || !region) {
    return 'the Credential must be <access key id>/<date>/<region>/<service>/aws4_request';
  }
  const signedHeaders = (fields.get('SignedHeaders') as string).split(';');
  if (!signedHeaders.includes('host')) return "'host' must be a signed header";
  return {
    accessKeyId,
    date,
    region,
    service,
    signedHeaders,
    signature: fields.get('Signature') as string,
    timestamp,
  };
}

/** The time of a `YYYYMMDDTHHMMSSZ` timestamp. */
export const timeOf = (timestamp: string): Date =>
  new Date(timestamp.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/, '$1-$2-$3T$4:$5:$6Z'));

const encode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (c) => `%${c.charCodeAt(0).toString(16).toUpperCase()}`);

const decode = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

const canonicalPath = (path: string): string => path.split('/').map(encode).join('/');

const canonicalQuery = (query: string): string =>
  query
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', ...value] = pair.split('=');
      return `${encode(decode(name))}=${encode(decode(value.join('=')))}`;
    })
    .sort()
    .join('&');

const canonicalHeader = (value: string): string => value.trim().replace(/\s+/g, ' ');

/** True when the body is what was signed: `x-amz-content-sha256` may name another hash, or say it wasn't signed. */
function payloadHash(request: HttpRequest): string | undefined {
  const declared = request.headers['x-amz-content-sha256'];
  if (declared === UNSIGNED_PAYLOAD) return UNSIGNED_PAYLOAD;
  const actual = sha256(request.body);
  return declared === undefined || declared === actual ? actual : undefined;
}

/** True when the signature was made over this request with this secret access key. Constant in time. */
export function signatureMatches(request: HttpRequest, signature: Signature, secretAccessKey: string): boolean {
  const payload = payloadHash(request);
  if (payload === undefined) return false;
  const canonicalRequest = [
    request.method,
    canonicalPath(request.path),
    canonicalQuery(request.query),
    ...signature.signedHeaders.map((name) => `${name}:${canonicalHeader(request.headers[name] ?? '')}`),
    '',
    signature.signedHeaders.join(';'),
    payload,
  ].join('\n');
  const scope = `${signature.date}/${signature.region}/${signature.service}/aws4_request`;
  const stringToSign = [ALGORITHM, signature.timestamp, scope, sha256(canonicalRequest)].join('\n');
  const key = [signature.region, signature.service, 'aws4_request'].reduce<Buffer>(
    (previous, part) => hmac(previous, part),
    hmac(`AWS4${secretAccessKey}`, signature.date),
  );
  const expected = Buffer.from(hmac(key, stringToSign).toString('hex'));
  const given = Buffer.from(signature.signature);
  return expected.length === given.length && timingSafeEqual(expected, given);
}
