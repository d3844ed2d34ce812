import { Fn, Token } from 'aws-cdk-lib';
import type { ProviderConfigInput } from '../contract/provider-config';
import { PROVIDER_KEYS } from '../contract/provider-config';

/**
 * The `[providers.NAME]` block in TOML. Values may be tokens: a JSON string is a TOML basic string, and the ids and
 * ARNs that tokens stand for contain nothing that needs escaping.
 *
 * A profile is known only to the person who pastes the block, so without one its line is a comment.
 */
export function renderProviderBlock(config: ProviderConfigInput, name = 'fargate'): string {
  const lines = PROVIDER_KEYS.flatMap((key) => {
    const value = config[key];
    if (value !== undefined) return [`${key} = ${tomlValue(value)}`];
    return key === 'aws_profile' ? ['# aws_profile = "the profile that may assume aws_role_arn"'] : [];
  });
  return [`[providers.${name}]`, ...lines, ''].join('\n');
}

function tomlValue(value: string | number | boolean | readonly string[]): string {
  if (typeof value === 'string') return JSON.stringify(value);
  if (typeof value !== 'object') return String(value);
  // A list that only CloudFormation knows can't be looped over.
  if (Token.isUnresolved(value)) return `["${Fn.join('", "', [...value])}"]`;
  return `[${value.map((item) => JSON.stringify(item)).join(', ')}]`;
}
