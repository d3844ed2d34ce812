import { join } from 'node:path';
import { writeFileAtomically } from '../../util/atomic-file';
import { withFileLock } from '../../util/file-lock';
import { ensureProfile, newProfileId, readProfile } from '../config/profile';
import { TomlFile } from '../toml/toml-file';
import type { SshProvider } from './settings-file';
import { withoutSshProvider, withSshProvider } from './settings-file';

export interface SshProviderWriteRequest extends SshProvider {
  readonly baseDirectory: string;
  /** True removes the provider. */
  readonly remove?: boolean;
  /** True only reports whether anything would change. */
  readonly dryRun?: boolean;
}

export interface WrittenSshProvider {
  readonly file: string;
  readonly profile: string;
  readonly changed: boolean;
}

/** The settings that mngr reads for the user: those of the profile. mngr doesn't read providers from config.toml. */
export const settingsFileOf = (baseDirectory: string, profile: string): string =>
  join(baseDirectory, 'profiles', profile, 'settings.toml');

/**
 * Writes an ssh provider into the settings.toml of the user's profile (creating the profile if there is none), or
 * removes it.
 */
export async function writeSshProvider(request: SshProviderWriteRequest): Promise<WrittenSshProvider> {
  const { baseDirectory, remove = false, dryRun = false } = request;
  const profile = dryRun ? ((await readProfile(baseDirectory)) ?? newProfileId()) : await ensureProfile(baseDirectory);
  const file = settingsFileOf(baseDirectory, profile);
  const edit = async (): Promise<WrittenSshProvider> => {
    const before = await TomlFile.read(file);
    const after = (remove ? withoutSshProvider : withSshProvider)(before, request);
    const changed = after.text !== before.text;
    if (changed && !dryRun) await writeFileAtomically(file, after.text);
    return { file, profile, changed };
  };
  return dryRun ? edit() : withFileLock(file, edit);
}
