import * as z from 'zod';

type JsonSchema = Record<string, unknown>;

/** Schemas that stand under `components` of the OpenAPI document, with their names there. */
export const components = z.registry<{ id: string }>();

const written = new WeakMap<object, JsonSchema>();

/** Gives the schema a name in the OpenAPI document. */
export function component<T extends z.ZodType>(id: string, schema: T): T {
  components.add(schema, { id });
  return schema;
}

/** A schema whose JSON Schema is written by hand: for texts of a query that stand for numbers and the like. */
export function documentedAs<T extends z.ZodType>(schema: T, jsonSchema: JsonSchema): T {
  written.set(schema, jsonSchema);
  return schema;
}

/** The JSON Schema of a zod schema, with `$ref` to components; those that it uses are added to `used`. */
export function jsonSchemaOf(schema: z.ZodType, io: 'input' | 'output', used: Map<string, JsonSchema>): JsonSchema {
  const wrapped = z.toJSONSchema(z.object({ root: schema }), {
    metadata: components,
    io,
    unrepresentable: 'any',
    override: ({ zodSchema, jsonSchema }) => {
      const own = written.get(zodSchema);
      // `.meta()` writes descriptions into zod's own registry, which isn't the one that has the names.
      if (own === undefined) {
        Object.assign(jsonSchema, z.globalRegistry.get(zodSchema));
        return;
      }
      for (const name of Object.keys(jsonSchema)) delete (jsonSchema as JsonSchema)[name];
      Object.assign(jsonSchema, own);
    },
  });
  const text = JSON.stringify(wrapped).replaceAll('"#/$defs/', '"#/components/schemas/');
  const { properties, $defs = {} } = JSON.parse(text) as { properties: { root: JsonSchema }; $defs?: JsonSchema };
  for (const [id, definition] of Object.entries($defs)) used.set(id, withoutId(definition as JsonSchema));
  return properties.root;
}

function withoutId({ id: _id, ...rest }: JsonSchema): JsonSchema {
  return rest;
}
