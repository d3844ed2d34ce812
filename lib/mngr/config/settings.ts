import { MngrFargateError } from '../../contract/errors';
import { fargateSizeProblem } from '../../contract/fargate-sizes';
import type { ProviderConfig } from '../../contract/provider-config';
import { providerConfigSchema } from '../../contract/provider-config';
import type { ProviderKey } from './provider-key';
import { settingProblem } from './provider-key';

/** A value and where it was found, in words for an error message. */
export interface Setting {
  readonly value: unknown;
  readonly source: string;
}

export type Settings = ReadonlyMap<ProviderKey, Setting>;

/** The first layer that has a key wins. */
export function mergedSettings(layers: readonly (Settings | undefined)[]): Settings {
  const merged = new Map<ProviderKey, Setting>();
  for (const layer of layers) {
    for (const [key, setting] of layer ?? []) if (!merged.has(key)) merged.set(key, setting);
  }
  return merged;
}

/** A setting's text; undefined if it is absent, empty or not a string. */
export const settingText = (settings: Settings, key: ProviderKey): string | undefined => {
  const value = settings.get(key)?.value;
  return typeof value === 'string' && value !== '' ? value : undefined;
};

function sizeProblem(settings: Settings): string | undefined {
  const { cpu, memory } = providerConfigSchema.shape;
  return fargateSizeProblem(cpu.parse(settings.get('cpu')?.value), memory.parse(settings.get('memory')?.value));
}

/** Checks each value against its key, and the cpu/memory pair as a whole. Throws `usage` naming the source. */
export function checkedConfig(settings: Settings): ProviderConfig {
  for (const [key, { value, source }] of settings) {
    const problem = settingProblem(key, value);
    if (problem !== undefined) {
      throw new MngrFargateError('usage', `${source}: ${problem}`, { details: { source, key, value } });
    }
  }
  const values = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]));
  const result = providerConfigSchema.safeParse(values);
  if (result.success) return result.data;
  const sources = (['cpu', 'memory'] as const).flatMap((key) => settings.get(key)?.source ?? []);
  const problem = sizeProblem(settings) ?? result.error.message;
  throw new MngrFargateError('usage', `${[...new Set(sources)].join(', ')}: ${problem}`);
}
