import { MngrFargateError } from '../contract/errors';

/** The CDK's own context: its feature flags and the settings that CDK constructs read. */
const isCdksOwn = (key: string): boolean => key.startsWith('@') || key.startsWith('aws:cdk:');

const BOUNDARY = '@aws-cdk/core:permissionsBoundary';
const BOUNDARY_FORM = `give JSON with its name or ARN, for example '{"name":"team-boundary"}'`;

/**
 * The CDK's own context with the intended values. `-c key=value` gives text, which the CDK doesn't parse: it takes the
 * text `false` for true, and ignores the text of an object. Returns only what changes.
 *
 * @throws MngrFargateError `usage` for text that can't be what the CDK reads
 */
export function meantCdkContext(context: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const texts = Object.entries(context).flatMap(([key, value]): [string, string][] =>
    isCdksOwn(key) && typeof value === 'string' ? [[key, value.trim()]] : [],
  );
  return Object.fromEntries(texts.map(([key, text]) => [key, valueOf(key, text)]));
}

function valueOf(key: string, text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true';
  const value = /^[[{]/.test(text) ? jsonOf(key, text) : text;
  if (key !== BOUNDARY) return value;
  const { name, arn } = value as { readonly name?: unknown; readonly arn?: unknown };
  if (typeof (name ?? arn) === 'string' && typeof value === 'object') return value;
  throw wrong(key, `${JSON.stringify(text)} does not name a policy: ${BOUNDARY_FORM}`);
}

function jsonOf(key: string, text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw wrong(key, `${JSON.stringify(text)} is not JSON: ${(error as Error).message}`);
  }
}

const wrong = (key: string, problem: string): MngrFargateError =>
  new MngrFargateError('usage', `the context is not valid:\n  - ${key}: ${problem}`, {
    details: { problems: [`${key}: ${problem}`] },
  });
