import { writeFileAtomically } from '../../util/atomic-file';
import { configFileOf } from './base-directory';
import { withFileLock } from '../../util/file-lock';
import { TomlFile } from '../toml/toml-file';
import { ensureProfile, newProfileId, profileIn } from './profile';
import { providerTable, withProfileLine } from './provider-block';
import type { Settings } from './settings';
import { checkedConfig, mergedSettings } from './settings';
import { providerKey } from './provider-key';
import type { SettingValue, TableValues } from '../toml/values';
import { PROVIDER_KEYS } from '../../contract/provider-config';

export interface WriteRequest {
  readonly baseDirectory: string;
  /** Name of the block. */
  readonly provider: string;
  /** Values to have in the block; keys of it that aren't among them stay as they are. */
  readonly settings: Settings;
  /** True only reports what would be written. */
  readonly dryRun?: boolean;
}

export interface WrittenProviderConfig {
  readonly file: string;
  readonly profile: string;
  readonly changed: boolean;
  /** The values that were asked for, `backend` first. */
  readonly values: TableValues;
  /** The whole file, before and after. */
  readonly before: string;
  readonly after: string;
}

/** The values in the order of the schema, ready for TOML. */
function blockValues(settings: Settings): TableValues {
  const values: Record<string, SettingValue> = {};
  for (const key of PROVIDER_KEYS) {
    const value = key === 'backend' ? 'fargate' : settings.get(key)?.value;
    if (value !== undefined) values[key] = value as SettingValue;
  }
  return values;
}

/**
 * Writes a `[providers.NAME]` block into mngr's config.toml, and a `profile` line before it if there is none.
 * Everything else in the file stays byte for byte the same. Throws `usage` when the block would be wrong afterwards.
 */
export async function writeProviderConfig(request: WriteRequest): Promise<WrittenProviderConfig> {
  const { baseDirectory, provider, settings, dryRun = false } = request;
  const file = configFileOf(baseDirectory);
  const values = blockValues(settings);

  const edit = async (): Promise<WrittenProviderConfig> => {
    const before = await TomlFile.read(file);
    const source = `${file} [providers.${provider}]`;
    const present = Object.entries(before.table(providerTable(provider)) ?? {});
    const kept: Settings = new Map(present.map(([key, value]) => [providerKey(key, source), { value, source }]));
    checkedConfig(mergedSettings([settings, kept]));
    const profile = profileIn(before) ?? newProfileId();
    const after = withProfileLine(before, profile).withValues(providerTable(provider), values);
    const changed = after.text !== before.text;
    if (changed && !dryRun) await writeFileAtomically(file, after.text);
    return { file, profile, changed, values, before: before.text, after: after.text };
  };

  if (dryRun) return edit();
  const written = await withFileLock(file, edit);
  await ensureProfile(baseDirectory);
  return written;
}
