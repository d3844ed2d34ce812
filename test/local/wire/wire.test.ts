import * as fc from 'fast-check';
import { AwsEc2QueryProtocol, AwsJson1_0Protocol, AwsJson1_1Protocol, AwsQueryProtocol } from '@aws-sdk/core/protocols';
import * as ec2 from '@aws-sdk/client-ec2';
import * as ecs from '@aws-sdk/client-ecs';
import * as sts from '@aws-sdk/client-sts';
import { HttpResponse } from '@smithy/core/protocols';
import { NormalizedSchema } from '@smithy/core/schema';
import type { StaticOperationSchema } from '@smithy/types';
import { AwsError } from '../../../lib/local/wire/aws-error';
import { awsJson10, awsJson11, readJson } from '../../../lib/local/wire/json';
import { awsQuery, ec2Query } from '../../../lib/local/wire/query';
import { inputOf, missingMembers, outputOf } from '../../../lib/local/wire/schemas';
import type { WireProtocol } from '../../../lib/local/wire/wire-protocol';

/** Text that XML can carry and that query parameters have to escape. */
const text = fc.string({ unit: 'grapheme', maxLength: 12 }).filter((value) => !/[\p{Cc}\ufffe\uffff]/u.test(value));
/** Text that survives XML readers that trim. */
const solidText = text.filter((value) => value !== '' && value.trim() === value);
const number = fc.integer({ min: -1_000_000, max: 1_000_000 });

/** Values that a schema allows, to a depth. */
function valuesOf(schema: NormalizedSchema, texts: fc.Arbitrary<string>, depth = 4): fc.Arbitrary<unknown> {
  if (schema.isStructSchema()) {
    const members = depth === 0 ? [] : [...schema.structIterator()];
    return fc.record(Object.fromEntries(members.map(([name, member]) => [name, valuesOf(member, texts, depth - 1)])), {
      requiredKeys: members.filter(([, member]) => member.isIdempotencyToken()).map(([name]) => name),
    });
  }
  if (schema.isListSchema()) {
    return fc.array(valuesOf(schema.getValueSchema(), texts, Math.max(0, depth - 1)), { minLength: 1, maxLength: 3 });
  }
  if (schema.isMapSchema()) {
    return fc.dictionary(
      fc.stringMatching(/^[a-z]{1,8}$/),
      valuesOf(schema.getValueSchema(), texts, Math.max(0, depth - 1)),
      { minKeys: 1, maxKeys: 3 },
    );
  }
  if (schema.isBooleanSchema()) return fc.boolean();
  if (schema.isNumericSchema()) return number;
  if (schema.isTimestampSchema()) return number.map((seconds) => new Date(1_700_000_000_000 + seconds * 1000));
  if (schema.isBlobSchema()) return fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes));
  return texts;
}

/** Without members and items that hold nothing: an empty structure leaves no trace in query parameters. */
function pruned(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(pruned).filter((item) => !isEmpty(item));
  if (typeof value !== 'object' || value === null || value instanceof Date || Buffer.isBuffer(value)) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, pruned(item)] as const)
    .filter(([, item]) => item !== undefined && !isEmpty(item));
  return Object.fromEntries(entries);
}

const isEmpty = (value: unknown): boolean =>
  typeof value === 'object' &&
  value !== null &&
  !(value instanceof Date) &&
  (Array.isArray(value) ? value.every(isEmpty) : Object.keys(value).length === 0);

type SdkProtocol = AwsJson1_0Protocol | AwsJson1_1Protocol | AwsQueryProtocol;

const settings = { errorTypeRegistries: [], xmlNamespace: 'https://example/', version: '1', serviceTarget: 'Target' };
const context = { endpoint: () => Promise.resolve({ protocol: 'http:', hostname: 'localhost', path: '/' }) };

/** What the endpoint reads of what the SDK's own serializer wrote. */
async function received(sdk: SdkProtocol, protocol: WireProtocol, operation: StaticOperationSchema, input: object) {
  const request = await sdk.serializeRequest(toOperation(operation), input, context as never);
  const body: unknown = request.body;
  const bytes =
    body instanceof Uint8Array
      ? Buffer.from(body.buffer, body.byteOffset, body.byteLength)
      : Buffer.from(body as string);
  return protocol.decode(inputOf(operation), { headers: request.headers, body: bytes });
}

/** What the SDK's own deserializer reads of what the endpoint wrote. */
async function answered(sdk: SdkProtocol, protocol: WireProtocol, operation: StaticOperationSchema, output: object) {
  const envelope = { operation: operation[2], requestId: 'request' };
  const { status, headers, body } = protocol.encode(outputOf(operation), output, envelope);
  const response = new HttpResponse({ statusCode: status, headers: { ...headers }, body: Buffer.from(body) });
  const { $metadata: _, ...result } = (await sdk.deserializeResponse(
    toOperation(operation),
    context as never,
    response as never,
  )) as unknown as Record<string, unknown>;
  return result;
}

const toOperation = (operation: StaticOperationSchema) => ({
  namespace: operation[1],
  name: operation[2],
  traits: operation[3],
  input: operation[4],
  output: operation[5],
});

const json10 = new AwsJson1_0Protocol({ ...settings, defaultNamespace: 'com.amazonaws.dynamodb' } as never);
const json11 = new AwsJson1_1Protocol({ ...settings, defaultNamespace: 'com.amazonaws.ecs' } as never);
const queries = new AwsQueryProtocol({ ...settings, defaultNamespace: 'com.amazonaws.sts' } as never);
const ec2Queries = new AwsEc2QueryProtocol({ ...settings, defaultNamespace: 'com.amazonaws.ec2' } as never);
for (const protocol of [json10, json11, queries, ec2Queries]) {
  protocol.setSerdeContext({
    base64Encoder: (bytes: Uint8Array | string) => Buffer.from(bytes).toString('base64'),
    base64Decoder: (encoded: string) => Buffer.from(encoded, 'base64'),
    utf8Encoder: (bytes: Uint8Array) => Buffer.from(bytes).toString('utf8'),
    utf8Decoder: (value: string) => Buffer.from(value),
    streamCollector: (stream: Uint8Array) => Promise.resolve(stream),
  } as never);
}

const xmlNamespace = 'https://example/';
const wire = {
  json10: awsJson10({ targetPrefix: 'DynamoDB_20120810', errorNamespace: 'com.amazonaws.dynamodb.v20120810' }),
  json11: awsJson11({ targetPrefix: 'Target' }),
  query: awsQuery({ version: '1', xmlNamespace }),
  ec2: ec2Query({ version: '1', xmlNamespace }),
};

describe.each([
  ['JSON 1.0, RunTask', json10, wire.json10, ecs.RunTask$, text],
  ['JSON 1.1, RunTask', json11, wire.json11, ecs.RunTask$, text],
  ['JSON 1.1, RegisterTaskDefinition', json11, wire.json11, ecs.RegisterTaskDefinition$, text],
  ['query, AssumeRole', queries, wire.query, sts.AssumeRole$, solidText],
  ['EC2 query, DescribeNetworkInterfaces', ec2Queries, wire.ec2, ec2.DescribeNetworkInterfaces$, solidText],
] as const)("%s: the SDK's serializer and the endpoint agree", (_, sdk, protocol, operation, texts) => {
  it('on every request', async () => {
    await fc.assert(
      fc.asyncProperty(valuesOf(inputOf(operation), texts), async (input) => {
        expect(pruned(await received(sdk, protocol, operation, input as object))).toEqual(pruned(input));
      }),
      { numRuns: 60 },
    );
  });

  it('on every answer', async () => {
    await fc.assert(
      fc.asyncProperty(valuesOf(outputOf(operation), texts), async (output) => {
        expect(pruned(await answered(sdk, protocol, operation, output as object))).toEqual(pruned(output));
      }),
      { numRuns: 60 },
    );
  });
});

describe('AWS JSON', () => {
  const envelope = { operation: 'GetItem', requestId: 'request' };
  const error = new AwsError('ResourceNotFoundException', 'Requested resource not found');

  it("1.0 names errors by their shape ids, those of every service by the front end's", () => {
    const { headers, body, status } = wire.json10.encodeError(error, envelope);
    expect({ status, type: headers['content-type'] }).toEqual({ status: 400, type: 'application/x-amz-json-1.0' });
    expect(JSON.parse(body)).toMatchObject({
      __type: 'com.amazonaws.dynamodb.v20120810#ResourceNotFoundException',
      message: 'Requested resource not found',
    });
    const common = wire.json10.encodeError(new AwsError('UnrecognizedClientException', 'invalid'), envelope);
    expect(JSON.parse(common.body)).toMatchObject({ __type: 'com.amazon.coral.service#UnrecognizedClientException' });
  });

  it('1.1 names errors without a namespace', () => {
    const { headers, body } = wire.json11.encodeError(error, envelope);
    expect(headers['content-type']).toBe('application/x-amz-json-1.1');
    expect(JSON.parse(body)).toMatchObject({ __type: 'ResourceNotFoundException' });
  });

  it.each<[string, string | undefined, string | undefined, keyof typeof wire | undefined]>([
    ['a target', 'DynamoDB_20120810.GetItem', undefined, 'json10'],
    ['a target and a version', 'Target.RunTask', '1', 'json11'],
    ['a version', undefined, '1', 'query'],
    ['a target that only begins alike', 'Target2.RunTask', undefined, undefined],
    ['neither', undefined, undefined, undefined],
  ])('requests with %s go to the service that claims them', (_, header, version, expected) => {
    const target = { header, version, action: 'Any' };
    const claimed = (['json10', 'json11', 'query'] as const).filter((name) => wire[name].serves(target));
    expect(claimed).toEqual(expected === undefined ? [] : [expected]);
  });
});

describe('a JSON body', () => {
  const schema = NormalizedSchema.of(ecs.RunTaskRequest$);
  const problem = (body: string): AwsError => {
    try {
      wire.json11.decode(schema, { headers: {}, body: Buffer.from(body) });
    } catch (error) {
      return error as AwsError;
    }
    throw new Error('the body was accepted');
  };

  it.each([
    ['{', /not JSON/],
    ['[]', /Start of list found where not expected/],
    ['{"count":"two"}', /STRING_VALUE can not be converted/],
    ['{"taskDefinition":7}', /NUMBER_VALUE can not be converted to a String/],
    ['{"enableExecuteCommand":"true"}', /can not be converted to Boolean/],
    ['{"tags":{}}', /Start of structure or map found where not expected/],
    ['{"overrides":[1]}', /Start of list found where not expected/],
  ])('is refused when it is %s', (body, message) => {
    const error = problem(body);
    expect(error.code).toBe('SerializationException');
    expect(error.message).toMatch(message);
  });

  it('may have members that the API has not, and nulls', () => {
    expect(readJson(schema, { taskDefinition: 'a', unheardOf: 1, cluster: null, __proto__: { count: 3 } })).toEqual({
      taskDefinition: 'a',
    });
  });

  it('is told which required members it lacks', () => {
    expect(missingMembers(schema, {})).toEqual(['taskDefinition']);
    const nested = { taskDefinition: 'a', networkConfiguration: { awsvpcConfiguration: {} } };
    expect(missingMembers(schema, nested)).toEqual(['networkConfiguration.awsvpcConfiguration.subnets']);
  });
});
