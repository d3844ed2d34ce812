import { parseParameters, readParameters } from './query-decode';
import type { QueryFlavour } from './query-decode';
import type { WireProtocol, WireResponse } from './wire-protocol';
import { escapeXml, writeXml } from './xml-encode';

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';

const decodeAs =
  (flavour: QueryFlavour): WireProtocol['decode'] =>
  (schema, { body }) =>
    (readParameters(schema, parseParameters(body.toString('utf8')), flavour) ?? {}) as Record<string, unknown>;

const xml = (status: number, requestId: string, body: string): WireResponse => ({
  status,
  headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': requestId },
  body: DECLARATION + body,
});

export interface QueryProtocolOptions {
  /** The API's date, as in the parameter `Version`. */
  readonly version: string;
  readonly xmlNamespace: string;
}

const serves =
  (wanted: string): WireProtocol['serves'] =>
  ({ header, version }) =>
    header === undefined && version === wanted;

/** AWS query: form parameters in, XML with a nested result out (STS, CloudFormation, IAM). */
export const awsQuery = ({ version, xmlNamespace }: QueryProtocolOptions): WireProtocol => ({
  family: 'query',
  serves: serves(version),
  operationOf: ({ action }) => action,
  decode: decodeAs('query'),
  encode: (schema, output, { operation, requestId }) =>
    xml(
      200,
      requestId,
      `<${operation}Response xmlns="${xmlNamespace}"><${operation}Result>${writeXml(schema, output ?? {})}` +
        `</${operation}Result><ResponseMetadata><RequestId>${requestId}</RequestId></ResponseMetadata>` +
        `</${operation}Response>`,
    ),
  encodeError: (error, { requestId }) =>
    xml(
      error.status,
      requestId,
      `<ErrorResponse xmlns="${xmlNamespace}"><Error><Type>${error.fault}</Type><Code>${escapeXml(error.code)}</Code>` +
        `<Message>${escapeXml(error.message)}</Message></Error><RequestId>${requestId}</RequestId></ErrorResponse>`,
    ),
});

/** EC2's variant: lists are numbered without `member`, and the answer has no nested result. */
export const ec2Query = ({ version, xmlNamespace }: QueryProtocolOptions): WireProtocol => ({
  family: 'ec2',
  serves: serves(version),
  operationOf: ({ action }) => action,
  decode: decodeAs('ec2'),
  encode: (schema, output, { operation, requestId }) =>
    xml(
      200,
      requestId,
      `<${operation}Response xmlns="${xmlNamespace}"><requestId>${requestId}</requestId>` +
        `${writeXml(schema, output ?? {})}</${operation}Response>`,
    ),
  encodeError: (error, { requestId }) =>
    xml(
      error.status,
      requestId,
      `<Response><Errors><Error><Code>${escapeXml(error.code)}</Code><Message>${escapeXml(error.message)}</Message>` +
        `</Error></Errors><RequestID>${requestId}</RequestID></Response>`,
    ),
});
