import * as z from 'zod';
import { SandboxError } from '../model/errors';

/** The value as the schema has it. Throws `bad_request` with the first field that is wrong; `what` names the whole. */
export function validated<T>(schema: z.ZodType<T>, value: unknown, what: string): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw new SandboxError('bad_request', `${what} is not valid`);
  const field = fieldOf(issue);
  const subject = field === undefined ? what : field;
  throw new SandboxError('bad_request', `${subject} ${problemOf(issue, valueAt(value, issue.path), schema)}`, {
    field,
  });
}

type Issue = z.core.$ZodIssue;

function fieldOf(issue: Issue): string | undefined {
  const path = issue.code === 'unrecognized_keys' ? [...issue.path, issue.keys[0] ?? ''] : issue.path;
  return path.length === 0 ? undefined : path.map(String).join('.');
}

function valueAt(value: unknown, path: readonly PropertyKey[]): unknown {
  return path.reduce<unknown>(
    (inner, key) =>
      typeof inner === 'object' && inner !== null && Object.hasOwn(inner, key)
        ? (inner as Record<PropertyKey, unknown>)[key]
        : undefined,
    value,
  );
}

/** What is wrong, as the end of a sentence. Texts are never repeated: they may be secrets. */
function problemOf(issue: Issue, value: unknown, schema: z.ZodType): string {
  switch (issue.code) {
    case 'invalid_type':
      if (value === undefined) return `is missing: give ${named(issue.expected)}`;
      return `must be ${named(issue.expected)}, not ${kindOf(value)}`;
    case 'unrecognized_keys':
      return `is not known here${allowedFields(issue, schema)}`;
    case 'too_small':
      return sizeProblem(issue.origin, value, { word: 'short', bound: 'at least', limit: issue.minimum });
    case 'too_big':
      return sizeProblem(issue.origin, value, { word: 'long', bound: 'at most', limit: issue.maximum });
    case 'invalid_value':
      return `must be ${issue.values.length > 2 ? 'one of ' : ''}${listed(issue.values)}`;
    case 'invalid_key':
      return issue.issues[0] === undefined ? 'is not a valid name' : issue.issues[0].message;
    default:
      return issue.message;
  }
}

interface SizeLimit {
  readonly word: 'short' | 'long';
  readonly bound: 'at least' | 'at most';
  readonly limit: number | bigint;
}

function sizeProblem(origin: string, value: unknown, { word, bound, limit }: SizeLimit): string {
  if (origin !== 'string' && origin !== 'array') {
    return `is ${typeof value === 'number' ? value : 'out of range'}: it must be ${bound} ${limit}`;
  }
  const length = counted(limit, origin === 'string' ? 'character' : 'element');
  const isEmpty = (value as { readonly length?: number } | undefined)?.length === 0;
  return `${isEmpty ? 'is empty' : `is too ${word}`}: it must have ${bound} ${length}`;
}

const listed = (values: readonly unknown[]): string =>
  values.map((value) => JSON.stringify(value)).join(values.length > 2 ? ', ' : ' or ');

const counted = (count: number | bigint, noun: string): string => `${count} ${noun}${Number(count) === 1 ? '' : 's'}`;

function allowedFields(issue: Issue, schema: z.ZodType): string {
  if (issue.path.length > 0 || !(schema instanceof z.ZodObject)) return ': leave it out';
  const names = Object.keys(schema.shape);
  return names.length === 0 ? ': leave it out' : `: the fields are ${names.join(', ')}`;
}

const NAMES: Readonly<Record<string, string>> = {
  int: 'a whole number',
  number: 'a number',
  string: 'text',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

const named = (expected: string): string => NAMES[expected] ?? expected;

function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'a number' : String(value);
  return NAMES[typeof value] ?? typeof value;
}
