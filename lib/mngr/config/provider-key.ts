import * as z from 'zod';
import { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import { PROVIDER_KEYS, providerConfigSchema } from '../../contract/provider-config';
import { nearest } from '../../util/nearest';

export type ProviderKey = keyof ProviderConfig;

type Kind = 'list' | 'whole number' | 'true or false' | 'text';

/** What kind of value a key takes, according to the schema. */
function kindOf(key: ProviderKey): Kind {
  let schema: unknown = providerConfigSchema.shape[key];
  while (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) schema = schema.unwrap();
  if (schema instanceof z.ZodArray) return 'list';
  if (schema instanceof z.ZodNumber) return 'whole number';
  if (schema instanceof z.ZodBoolean) return 'true or false';
  return 'text';
}

const EXPECTED: Readonly<Record<Kind, string>> = {
  list: 'a list of strings',
  'whole number': 'a whole number',
  'true or false': 'true or false',
  text: 'a string',
};

export const isProviderKey = (key: string): key is ProviderKey => (PROVIDER_KEYS as string[]).includes(key);

/** The key, or a `usage` error that names the nearest one and the place of the wrong one. */
export function providerKey(key: string, source: string): ProviderKey {
  if (isProviderKey(key)) return key;
  const meant = nearest(key.replaceAll('-', '_'), PROVIDER_KEYS);
  throw new MngrFargateError('usage', `${source}: unknown key ${JSON.stringify(key)}`, {
    hint: meant === undefined ? `the keys are ${PROVIDER_KEYS.join(', ')}` : `did you mean ${meant}?`,
    details: { source, key, allowed: PROVIDER_KEYS },
  });
}

/**
 * A value given as text (environment variable, flag, stack output): lists are comma-separated, booleans `true` or `false`,
 * numbers decimal. Text of another kind is returned as it is, for settingProblem to refuse.
 */
export function settingFromText(key: ProviderKey, text: string): unknown {
  switch (kindOf(key)) {
    case 'list':
      return text
        .split(',')
        .map((part) => part.trim())
        .filter((part) => part !== '');
    case 'whole number':
      return /^\d+$/.test(text.trim()) ? Number(text) : text;
    case 'true or false':
      return { true: true, false: false }[text.trim().toLowerCase()] ?? text;
    case 'text':
      return text;
  }
}

/** What is wrong with one key's value, with what is allowed; undefined when it is fine. */
export function settingProblem(key: ProviderKey, value: unknown): string | undefined {
  const result = providerConfigSchema.shape[key].safeParse(value);
  if (result.success) return undefined;
  const [issue] = result.error.issues;
  const given = JSON.stringify(value) ?? String(value);
  if (issue?.code === 'invalid_value') return `${key} must be ${issue.values.join(' or ')}, not ${given}`;
  if (issue?.code === 'too_small' && typeof value === 'number')
    return `${key} must be at least ${issue.minimum}, not ${given}`;
  if (issue?.code === 'too_small') return `${key} must not be empty`;
  if (issue?.code === 'invalid_format' || issue?.code === 'custom') return `${key} ${issue.message}, not ${given}`;
  return `${key} must be ${EXPECTED[kindOf(key)]}, not ${given}`;
}
