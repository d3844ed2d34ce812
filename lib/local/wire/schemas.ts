import { NormalizedSchema } from '@smithy/core/schema';
import type { SchemaRef, StaticOperationSchema } from '@smithy/types';

/** First element of a static schema that describes an operation (@smithy/types, `StaticSchemaIdOperation`). */
const OPERATION = 9;

const isOperation = (value: unknown): value is StaticOperationSchema => Array.isArray(value) && value[0] === OPERATION;

/** Every operation of an API by its name, from what `@aws-sdk/client-*` exports. */
export function operationsOf(client: Readonly<Record<string, unknown>>): ReadonlyMap<string, StaticOperationSchema> {
  return new Map(
    Object.values(client)
      .filter(isOperation)
      .map((operation) => [operation[2], operation]),
  );
}

const resolve = (reference: SchemaRef): NormalizedSchema =>
  NormalizedSchema.of(typeof reference === 'function' ? reference() : reference);

export const inputOf = (operation: StaticOperationSchema): NormalizedSchema => resolve(operation[4]);
export const outputOf = (operation: StaticOperationSchema): NormalizedSchema => resolve(operation[5]);

/** Names of a structure's required members: its schema lists them first and says how many they are. */
export function requiredMembers(structure: NormalizedSchema): readonly string[] {
  const schema: unknown = structure.getSchema();
  if (!Array.isArray(schema) || !Array.isArray(schema[4]) || typeof schema[6] !== 'number') return [];
  return (schema[4] as string[]).slice(0, schema[6]);
}

/** Paths of required members that a decoded value lacks, for example `tags[0].key`, in the schema's order. */
export function missingMembers(schema: NormalizedSchema, value: unknown, path = ''): string[] {
  if (value === undefined || value === null) return [];
  if (schema.isStructSchema()) {
    const members = value as Record<string, unknown>;
    const at = (name: string): string => (path === '' ? name : `${path}.${name}`);
    const missing = requiredMembers(schema)
      .filter((name) => members[name] === undefined)
      .map(at);
    for (const [name, member] of schema.structIterator()) {
      missing.push(...missingMembers(member, members[name], at(name)));
    }
    return missing;
  }
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    return (value as unknown[]).flatMap((entry, index) => missingMembers(item, entry, `${path}[${index}]`));
  }
  return [];
}
