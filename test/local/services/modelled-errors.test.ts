import type { NormalizedSchema } from '@smithy/core/schema';
import { SERVICES } from '../../../lib/local/services';
import { inputOf } from '../../../lib/local/wire/schemas';
import { existingOf } from '../../support/endpoint/existing-resources';
import { startLocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../support/endpoint/fake-runtime';
import { callerOf, modelledErrors, OPERATION_CALLS } from '../../support/endpoint/operation-calls';
import type { Existing } from '../../support/endpoint/operation-calls';

/** Errors that every operation of a protocol can answer with ("Common Errors" of each API's reference). */
const COMMON_ERRORS: Readonly<Record<string, readonly string[]>> = {
  json: ['AccessDeniedException', 'ThrottlingException', 'SerializationException', 'ValidationException'],
  query: ['AccessDenied', 'Throttling', 'ValidationError', 'MalformedInput'],
};

/** Names that STS puts on the wire without their ending (`awsQueryError` of its model). */
const wireName = (name: string): string => name.replace(/Exception$/, '');

const TEXTS = ['', 'aws:reserved', 'x'.repeat(600), 'arn:aws:ecs:us-east-1:000000000000:cluster/none'];

/** Values that a member of the schema could be sent with instead of the given one. */
function mutants(schema: NormalizedSchema, value: unknown, depth: number): unknown[] {
  if (schema.isStructSchema()) {
    if (depth === 0) return [{}];
    const members = (value ?? {}) as Record<string, unknown>;
    return [...schema.structIterator()].flatMap(([name, member]) => [
      { ...members, [name]: undefined },
      ...mutants(member, members[name], depth - 1).map((mutant) => ({ ...members, [name]: mutant })),
    ]);
  }
  if (schema.isListSchema()) {
    const [first, ...rest] = (value ?? []) as unknown[];
    const items = mutants(schema.getValueSchema(), first, depth);
    const filler = first ?? items.at(-1);
    return [[], [filler, filler], Array.from({ length: 120 }, () => filler), ...items.map((item) => [item, ...rest])];
  }
  if (schema.isMapSchema()) return [{}, { 'aws:key': '' }];
  if (schema.isBooleanSchema()) return [true, false];
  if (schema.isNumericSchema()) return [-1, 0, 1, 1_000_000];
  if (schema.isTimestampSchema()) return [new Date(0)];
  if (schema.isBlobSchema()) return [Buffer.alloc(0)];
  return TEXTS;
}

describe('an error', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let existing: Existing;

  beforeAll(async () => {
    local = await startLocalEndpoint();
    existing = await existingOf(local);
  });

  afterAll(async () => {
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const modelled = Object.entries(OPERATION_CALLS)
    // EC2's model has no errors.
    .filter(([service]) => service !== 'ec2')
    .flatMap(([service, { inputs }]) => Object.keys(inputs({} as Existing)).map((name) => [service, name] as const));

  it.each(modelled)('of %s:%s is one that its model has, whatever is wrong with the call', async (name, operation) => {
    const service = SERVICES.map((serviceOf) => serviceOf(local.world)).find(({ signingName }) => signingName === name);
    const schema = service?.operations.get(operation);
    if (service === undefined || schema === undefined) throw new Error(`${name}:${operation} is not served`);
    const { call, close } = callerOf(name, local.client);
    const valid = OPERATION_CALLS[name]?.inputs(existing)[operation];
    // A container definition has hundreds of members; those of the other calls lie three structures deep.
    const depth = operation === 'RegisterTaskDefinition' ? 2 : 3;
    const inputs = mutants(inputOf(schema), valid, depth) as object[];
    const codes = new Set<string>();
    for (const input of inputs) {
      const { code } = await call(operation, input);
      if (code !== undefined) codes.add(code);
    }
    close();
    const names = modelledErrors(name, operation);
    const allowed = [...names, ...names.map(wireName), ...(COMMON_ERRORS[service.protocol.family] ?? [])];
    expect([...codes].filter((code) => !allowed.includes(code))).toEqual([]);
  });

  it.each<[string, string, string, (existing: Existing) => object]>([
    ['an unknown platform version', 'RunTask', 'PlatformUnknownException', () => ({ platformVersion: '9.9.9' })],
    ['a reserved tag', 'RunTask', 'InvalidParameterException', () => ({ tags: [{ key: 'aws:x', value: '' }] })],
    ['a reserved tag', 'TagResource', 'InvalidParameterException', () => ({ tags: [{ key: 'AWS:x', value: '' }] })],
    [
      'a reserved tag',
      'RegisterTaskDefinition',
      'InvalidParameterException',
      () => ({ tags: [{ key: 'aws:x', value: '' }] }),
    ],
    ['an unknown cluster', 'RunTask', 'ClusterNotFoundException', () => ({ cluster: 'none' })],
    ['an unknown cluster', 'ListTasks', 'ClusterNotFoundException', () => ({ cluster: 'none' })],
    ['an unknown definition', 'RunTask', 'ClientException', () => ({ taskDefinition: 'none' })],
    ['an unknown task', 'StopTask', 'InvalidParameterException', () => ({ task: '0'.repeat(32) })],
  ])('for %s, asked of ecs:%s, is %s', async (_, operation, code, change) => {
    const { call, close } = callerOf('ecs', local.client);
    const valid = OPERATION_CALLS.ecs?.inputs(existing)[operation];
    expect(await call(operation, { ...valid, ...change(existing) })).toMatchObject({ code });
    close();
  });
});
