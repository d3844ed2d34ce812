import type { NormalizedSchema } from '@smithy/core/schema';
import { AwsError } from './aws-error';
import type { WireProtocol, WireResponse } from './wire-protocol';

const tokenOf = (value: unknown): string => {
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'number') return 'NUMBER_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return Array.isArray(value) ? 'Start of list' : 'Start of structure or map';
};

const mismatch = (value: unknown, wanted: string): AwsError =>
  new AwsError(
    'SerializationException',
    typeof value === 'object'
      ? `${tokenOf(value)} found where not expected.`
      : `${tokenOf(value)} can not be converted to ${wanted}`,
  );

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** A JSON value as its schema reads it. Unknown members and nulls are left out, as AWS does; a wrong type is an error. */
export function readJson(schema: NormalizedSchema, value: unknown): unknown {
  if (value === null || value === undefined) return undefined;
  if (schema.isStructSchema()) {
    if (!isObject(value)) throw mismatch(value, 'a structure');
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const read = Object.hasOwn(value, name) ? readJson(member, value[name]) : undefined;
      if (read !== undefined) result[name] = read;
    }
    return result;
  }
  if (schema.isListSchema()) {
    if (!Array.isArray(value)) throw mismatch(value, 'a list');
    const item = schema.getValueSchema();
    return value.map((entry) => readJson(item, entry)).filter((entry) => entry !== undefined);
  }
  if (schema.isMapSchema()) {
    if (!isObject(value)) throw mismatch(value, 'a map');
    const item = schema.getValueSchema();
    return Object.fromEntries(
      Object.entries(value)
        .map(([key, entry]) => [key, readJson(item, entry)] as const)
        .filter(([, entry]) => entry !== undefined),
    );
  }
  if (schema.isDocumentSchema()) return value;
  if (schema.isBooleanSchema()) {
    if (typeof value !== 'boolean') throw mismatch(value, 'Boolean');
    return value;
  }
  if (schema.isNumericSchema()) {
    if (typeof value !== 'number') throw mismatch(value, 'a Number');
    return value;
  }
  if (schema.isTimestampSchema()) {
    if (typeof value !== 'number') throw mismatch(value, 'a Timestamp');
    return new Date(value * 1000);
  }
  if (typeof value !== 'string') throw mismatch(value, schema.isBlobSchema() ? 'a Blob' : 'a String');
  return schema.isBlobSchema() ? Buffer.from(value, 'base64') : value;
}

/**
 * A value encoded as JSON by its schema; members that the schema doesn't have are left out. Timestamps are epoch
 * seconds.
 */
export function writeJson(schema: NormalizedSchema, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema.isStructSchema()) {
    const members = value as Record<string, unknown>;
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const written = writeJson(member, members[name]);
      if (written !== undefined) result[name] = written;
    }
    return result;
  }
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    return (value as unknown[]).map((entry) => writeJson(item, entry));
  }
  if (schema.isMapSchema()) {
    const item = schema.getValueSchema();
    return Object.fromEntries(
      Object.entries(value as Record<string, unknown>).map(([key, entry]) => [key, writeJson(item, entry)]),
    );
  }
  if (value instanceof Date) return value.getTime() / 1000;
  if (value instanceof Uint8Array) return Buffer.from(value).toString('base64');
  return value;
}

const parse = (body: Buffer): unknown => {
  if (body.length === 0) return {};
  try {
    return JSON.parse(body.toString('utf8'));
  } catch {
    throw new AwsError('SerializationException', 'Unexpected token: the request body is not JSON');
  }
};

export interface JsonProtocolOptions {
  /** What comes before the operation in `X-Amz-Target`: `AmazonEC2ContainerServiceV20141113`. */
  readonly targetPrefix: string;
  /**
   * Namespace of the service's own errors, which AWS JSON 1.0 puts before their names:
   * `com.amazonaws.dynamodb.v20120810`. AWS JSON 1.1 names errors without one.
   */
  readonly errorNamespace?: string;
}

/** Namespace of the errors that AWS's front end answers with for every service. */
const COMMON_NAMESPACE = 'com.amazon.coral.service';

/** Errors that no model has: those of authentication, dispatching and reading the body. */
const COMMON_ERRORS: ReadonlySet<string> = new Set([
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InternalFailure',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'SerializationException',
  'ThrottlingException',
  'UnknownOperationException',
  'UnrecognizedClientException',
]);

function jsonProtocol(version: '1.0' | '1.1', { targetPrefix, errorNamespace }: JsonProtocolOptions): WireProtocol {
  const typeOf = (code: string): string =>
    errorNamespace === undefined ? code : `${COMMON_ERRORS.has(code) ? COMMON_NAMESPACE : errorNamespace}#${code}`;
  const answer = (status: number, requestId: string, body: unknown): WireResponse => ({
    status,
    headers: { 'content-type': `application/x-amz-json-${version}`, 'x-amzn-requestid': requestId },
    body: JSON.stringify(body),
  });
  return {
    family: 'json',
    serves: ({ header }) => header !== undefined && header.slice(0, header.lastIndexOf('.')) === targetPrefix,
    operationOf: ({ header }) => header?.slice(header.lastIndexOf('.') + 1),
    decode: (schema, { body }) => (readJson(schema, parse(body)) ?? {}) as Record<string, unknown>,
    encode: (schema, output, { requestId }) => answer(200, requestId, writeJson(schema, output ?? {}) ?? {}),
    encodeError: ({ code, message, status, members }, { requestId }) =>
      answer(status, requestId, { __type: typeOf(code), message, ...members }),
  };
}

/**
 * AWS JSON 1.1: the operation in `X-Amz-Target`, JSON both ways (ECS, CloudWatch Logs, SSM, KMS). Errors are named
 * without a namespace.
 */
export const awsJson11 = (options: Omit<JsonProtocolOptions, 'errorNamespace'>): WireProtocol =>
  jsonProtocol('1.1', options);

/** AWS JSON 1.0 (DynamoDB): as 1.1, under another content type and with errors named by their full shape ids. */
export const awsJson10 = (options: Required<JsonProtocolOptions>): WireProtocol => jsonProtocol('1.0', options);
