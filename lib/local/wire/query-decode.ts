import type { NormalizedSchema } from '@smithy/core/schema';
import { AwsError } from './aws-error';

/** How a query protocol names the parts of a request: `Tags.member.1.Key` (query) or `Tag.1.Key` (EC2). */
export type QueryFlavour = 'query' | 'ec2';

/** A request's parameters as a tree: `Filter.1.Name=x` is at Filter, 1, Name. */
interface Parameters {
  readonly value?: string;
  readonly children: ReadonlyMap<string, Parameters>;
}

interface MutableParameters extends Parameters {
  value?: string;
  readonly children: Map<string, MutableParameters>;
}

/** Levels that a parameter's name may have; AWS's deepest inputs have far fewer. */
const MAX_DEPTH = 32;

export function parseParameters(body: string): Parameters {
  const root: MutableParameters = { children: new Map() };
  for (const [key, value] of new URLSearchParams(body)) {
    const parts = key.split('.');
    if (parts.length > MAX_DEPTH) throw new AwsError('MalformedQueryString', `the parameter ${key} is nested too deep`);
    let node = root;
    for (const part of parts) {
      let child = node.children.get(part);
      if (child === undefined) {
        child = { children: new Map() };
        node.children.set(part, child);
      }
      node = child;
    }
    node.value = value;
  }
  return root;
}

interface NamingTraits {
  readonly xmlName?: string;
  readonly ec2QueryName?: string;
}

const namingTraits = (schema: NormalizedSchema): NamingTraits => schema.getMergedTraits() as NamingTraits;

const nameOfMember = (member: NormalizedSchema, name: string, flavour: QueryFlavour): string => {
  const { xmlName, ec2QueryName } = namingTraits(member);
  if (flavour === 'query') return xmlName ?? name;
  if (ec2QueryName !== undefined) return ec2QueryName;
  const key = xmlName ?? name;
  return key.charAt(0).toUpperCase() + key.slice(1);
};

/** Children named by numbers from 1, in the numbers' order. */
const numbered = (node: Parameters | undefined): Parameters[] =>
  [...(node?.children ?? [])]
    .filter(([key]) => /^[1-9]\d*$/.test(key))
    .sort(([a], [b]) => Number(a) - Number(b))
    .map(([, child]) => child);

const invalid = (text: string, type: string, path: string, flavour: QueryFlavour): AwsError =>
  flavour === 'ec2'
    ? new AwsError('InvalidParameterValue', `Value (${text}) for parameter ${path} is invalid. It must be ${type}`)
    : new AwsError('MalformedInput', `Value ${text} at ${path} is not ${type}`);

function readScalar(schema: NormalizedSchema, text: string, path: string, flavour: QueryFlavour): unknown {
  if (schema.isBooleanSchema()) {
    if (!/^(true|false)$/i.test(text)) throw invalid(text, 'true or false', path, flavour);
    return text.toLowerCase() === 'true';
  }
  if (schema.isNumericSchema()) {
    const number = Number(text);
    if (text.trim() === '' || !Number.isFinite(number)) throw invalid(text, 'a number', path, flavour);
    return number;
  }
  if (schema.isTimestampSchema()) {
    const date = new Date(text);
    if (Number.isNaN(date.getTime())) throw invalid(text, 'an ISO 8601 timestamp', path, flavour);
    return date;
  }
  return schema.isBlobSchema() ? Buffer.from(text, 'base64') : text;
}

const join = (path: string, name: string): string => (path === '' ? name : `${path}.${name}`);

/** The value that the parameters hold for a schema; undefined when they hold none. */
export function readParameters(
  schema: NormalizedSchema,
  node: Parameters | undefined,
  flavour: QueryFlavour,
  path = '',
): unknown {
  if (node === undefined) return undefined;
  if (schema.isStructSchema()) {
    const result: Record<string, unknown> = {};
    for (const [name, member] of schema.structIterator()) {
      const key = nameOfMember(member, name, flavour);
      const value = readParameters(member, node.children.get(key), flavour, join(path, key));
      if (value !== undefined) result[name] = value;
    }
    return result;
  }
  if (schema.isListSchema()) {
    const item = schema.getValueSchema();
    const flat = flavour === 'ec2' || schema.getMergedTraits().xmlFlattened !== undefined;
    const items = flat ? node : node.children.get(namingTraits(item).xmlName ?? 'member');
    return numbered(items).map((entry, index) => readParameters(item, entry, flavour, join(path, String(index + 1))));
  }
  if (schema.isMapSchema()) {
    const keySchema = schema.getKeySchema();
    const valueSchema = schema.getValueSchema();
    const flat = flavour === 'ec2' || schema.getMergedTraits().xmlFlattened !== undefined;
    const entries = numbered(flat ? node : node.children.get('entry'));
    return Object.fromEntries(
      entries.map((entry) => [
        entry.children.get(namingTraits(keySchema).xmlName ?? 'key')?.value ?? '',
        readParameters(
          valueSchema,
          entry.children.get(namingTraits(valueSchema).xmlName ?? 'value'),
          flavour,
          join(path, 'value'),
        ),
      ]),
    );
  }
  return node.value === undefined ? undefined : readScalar(schema, node.value, path, flavour);
}
