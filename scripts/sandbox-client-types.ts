import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { openApiDocument } from '../lib/sandbox/http/openapi';
import type { RouteContext } from '../lib/sandbox/http/route';
import { allRoutes } from '../lib/sandbox/http/routes';
import { camelName } from '../lib/sandbox/client/camel-name';

/**
 * Writes lib/sandbox/client/api-types.ts: the schemas of the service's OpenAPI document as TypeScript, with names in camel
 * case. `--check` writes nothing, and fails if the file is not what it would write.
 */
const FILE = join(__dirname, '..', 'lib', 'sandbox', 'client', 'api-types.ts');

interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly description?: string;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
}

async function main(): Promise<void> {
  // The document is made of the routes alone; nothing is called.
  const document = openApiDocument(allRoutes({ shape: 'documented' } as RouteContext), 'documented');
  const { schemas } = document.components as { readonly schemas: Readonly<Record<string, Schema>> };
  const text = await format(moduleOf(schemas), { ...(await resolveConfig(FILE)), parser: 'typescript' });
  if (!process.argv.includes('--check')) return writeFile(FILE, text);
  if ((await readFile(FILE, 'utf8')) === text) return;
  console.error('lib/sandbox/client/api-types.ts is not of this API: run "npx tsx scripts/sandbox-client-types.ts"');
  process.exitCode = 1;
}

function moduleOf(schemas: Readonly<Record<string, Schema>>): string {
  const freeForm = new Set<string>();
  for (const schema of Object.values(schemas)) collectFreeForm(schema, freeForm);
  return [
    '// Written by scripts/sandbox-client-types.ts from the OpenAPI document of the service.',
    `/** Members whose own members have names of the caller's. */\nexport const FREE_FORM: ReadonlySet<string> = new Set(${JSON.stringify([...freeForm].sort())});`,
    ...Object.entries(schemas).map(([name, schema]) => `export interface Api${name} ${typeOf(schema)}`),
  ].join('\n\n');
}

/** Members that hold a map, at any depth. */
function collectFreeForm(schema: Schema, found: Set<string>): void {
  for (const [name, member] of Object.entries(schema.properties ?? {})) {
    for (const option of [member, ...(member.anyOf ?? [])]) {
      if (option.type === 'object' && option.properties === undefined) found.add(camelName(name));
    }
    collectFreeForm(member, found);
  }
  if (schema.items !== undefined) collectFreeForm(schema.items, found);
}

function typeOf(schema: Schema): string {
  if (schema.$ref !== undefined) return `Api${schema.$ref.split('/').pop()}`;
  if (schema.anyOf !== undefined) return schema.anyOf.map(typeOf).join(' | ');
  if (schema.enum !== undefined) return schema.enum.map((value) => JSON.stringify(value)).join(' | ');
  if (schema.const !== undefined) return JSON.stringify(schema.const);
  if (typeof schema.type === 'object') return schema.type.map((type) => typeOf({ ...schema, type })).join(' | ');
  switch (schema.type) {
    case 'string':
    case 'boolean':
    case 'null':
      return schema.type;
    case 'integer':
    case 'number':
      return 'number';
    case 'array':
      return `readonly (${schema.items === undefined ? 'unknown' : typeOf(schema.items)})[]`;
    case 'object':
      return schema.properties === undefined ? mapOf(schema.additionalProperties) : objectOf(schema);
    default:
      return 'unknown';
  }
}

const mapOf = (values: Schema['additionalProperties']): string =>
  `Readonly<Record<string, ${typeof values === 'object' ? typeOf(values) : 'unknown'}>>`;

function objectOf({ properties = {}, required = [] }: Schema): string {
  const members = Object.entries(properties).map(([name, member]) => {
    const comment = member.description === undefined ? '' : `/** ${sentence(member.description)} */\n`;
    return `${comment}readonly ${camelName(name)}${required.includes(name) ? '' : '?'}: ${typeOf(member)};`;
  });
  return `{\n${members.join('\n')}\n}`;
}

const sentence = (text: string): string => `${text.charAt(0).toUpperCase()}${text.slice(1).replaceAll('*/', '')}.`;

void main();
