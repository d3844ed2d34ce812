import type { RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs';
import * as sdk from '@aws-sdk/client-ecs';
import { NormalizedSchema } from '@smithy/core/schema';
import { TemplateError } from '../../template/intrinsics';

const lowerFirst = (name: string): string => name.charAt(0).toLowerCase() + name.slice(1);

/** Scalars of a template may be numbers or booleans written as strings, and the other way round. */
function scalar(schema: NormalizedSchema, value: unknown): unknown {
  if (schema.isBooleanSchema()) return value === true || value === 'true';
  if (schema.isNumericSchema()) return Number(value);
  return String(value);
}

/**
 * A value of a CloudFormation resource in the API's form: the same structure with names that begin in lower case
 * (CloudFormation user guide, AWS::ECS::TaskDefinition), read by the API's schema.
 */
function convert(schema: NormalizedSchema, value: unknown): unknown {
  if (value === undefined || value === null) return undefined;
  if (schema.isStructSchema()) {
    const members = new Map(Object.entries(value).map(([name, item]) => [lowerFirst(name), item as unknown]));
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const converted = convert(member, members.get(name));
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

/** What CloudFormation asks ECS to register for an `AWS::ECS::TaskDefinition`. Throws TemplateError without a family. */
export function definitionFromTemplate(
  properties: Readonly<Record<string, unknown>>,
  logicalId: string,
): RegisterTaskDefinitionRequest {
  const schema = NormalizedSchema.of(sdk.RegisterTaskDefinitionRequest$);
  const request = convert(schema, properties) as RegisterTaskDefinitionRequest;
  if (request.family === undefined) throw new TemplateError(`the task definition ${logicalId} needs a Family`);
  return request;
}
