import { NormalizedSchema } from '@smithy/core/schema';
import type { SchemaRef } from '@smithy/types';

/** Scalars of a template may be numbers or booleans written as strings, or vice versa. */
function scalar(schema: NormalizedSchema, value: unknown): unknown {
  if (schema.isBooleanSchema()) return value === true || value === 'true';
  if (schema.isNumericSchema()) return Number(value);
  return String(value);
}

function convert(schema: NormalizedSchema, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema.isStructSchema()) {
    const members = new Map(Object.entries(value).map(([name, item]) => [name.toLowerCase(), item as unknown]));
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const converted = convert(member, members.get(name.toLowerCase()));
      if (converted !== undefined) result[name] = converted;
    }
    return result;
  }
  if (schema.isListSchema()) return (value as unknown[]).map((item) => convert(schema.getValueSchema(), item));
  if (schema.isMapSchema()) {
    return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, scalar(schema.getValueSchema(), item)]));
  }
  return scalar(schema, value);
}

/**
 * A value of a CloudFormation resource in the API's form: the same structure with other upper and lower case in its
 * names (CloudFormation user guide, AWS::ECS::TaskDefinition: `EFSVolumeConfiguration`, `FilesystemId`), read by the
 * API's schema.
 */
export const apiForm = (schema: SchemaRef, value: unknown): unknown =>
  convert(NormalizedSchema.of(typeof schema === 'function' ? schema() : schema), value);
