import { MngrFargateError } from '../../contract/errors';
import { environmentVariableOf, PROVIDER_ENVIRONMENT_PREFIX, PROVIDER_KEYS } from '../../contract/provider-config';
import { TomlFile } from '../toml/toml-file';
import { nearest } from '../../util/nearest';
import { providerTable } from './provider-block';
import type { ProviderKey } from './provider-key';
import { providerKey, settingFromText } from './provider-key';
import type { Setting, Settings } from './settings';

/** A key given on the command line. */
export interface Override {
  readonly key: string;
  readonly text: string;
  /** The option, for messages: `--region`. */
  readonly source: string;
}

/** Variables with our prefix that are not keys of a block. */
const OTHER_VARIABLES = ['DEBUG', 'PROVIDER', 'STACK'].map((name) => PROVIDER_ENVIRONMENT_PREFIX + name);

/** Settings in the environment, `MNGR_FARGATE_<KEY>`. Empty variables count as absent. Throws `usage` for a misspelt one. */
export function settingsOfEnvironment(environment: NodeJS.ProcessEnv): Settings {
  const variables = new Map(PROVIDER_KEYS.map((key) => [environmentVariableOf(key), key]));
  const known = [...variables.keys(), ...OTHER_VARIABLES];
  for (const name of Object.keys(environment)) {
    if (!name.startsWith(PROVIDER_ENVIRONMENT_PREFIX) || known.includes(name)) continue;
    // Other tools may use the prefix too; only what looks like a typing error is refused.
    const meant = nearest(name, [...variables.keys()], 2);
    if (meant === undefined) continue;
    throw new MngrFargateError('usage', `environment variable ${name} has no effect`, {
      hint: `did you mean ${meant}?`,
    });
  }
  const settings = [...variables].flatMap(([name, key]): [ProviderKey, Setting][] => {
    const text = environment[name];
    return text === undefined || text === '' ? [] : [[key, { value: settingFromText(key, text), source: name }]];
  });
  return new Map(settings);
}

export const settingsOfOverrides = (overrides: readonly Override[]): Settings =>
  new Map(
    overrides.map(({ key: name, text, source }) => {
      const key = providerKey(name, source);
      return [key, { value: settingFromText(key, text), source }];
    }),
  );

/** Settings in the `[providers.NAME]` block of a config.toml; undefined when there is no such block. */
export async function settingsOfFile(path: string, provider: string): Promise<Settings | undefined> {
  const block = (await TomlFile.read(path)).table(providerTable(provider));
  if (block === undefined) return undefined;
  const source = `${path} [providers.${provider}]`;
  return new Map(Object.entries(block).map(([key, value]) => [providerKey(key, source), { value, source }]));
}
