import { join } from 'node:path';
import { writeFileAtomically } from '../../util/atomic-file';
import { readTomlFile } from '../toml/toml-file';
import { withFileLock } from '../../util/file-lock';
import { ensureProfile, newProfileId, readProfile } from '../config/profile';
import type { MngrPool } from './settings-file';
import { withoutPool, withPool } from './settings-file';

export interface PoolWriteRequest extends MngrPool {
  readonly baseDirectory: string;
  /** True takes the pool out again. */
  readonly remove?: boolean;
  /** True only says whether anything would change. */
  readonly dryRun?: boolean;
}

export interface WrittenPool {
  readonly file: string;
  readonly profile: string;
  readonly changed: boolean;
}

/** The settings that mngr reads for the user: those of the profile. config.toml holds no providers for mngr. */
export const settingsFileOf = (baseDirectory: string, profile: string): string =>
  join(baseDirectory, 'profiles', profile, 'settings.toml');

/** Writes a pool into the settings.toml of the user's profile, which is made where there is none, or removes it. */
export async function writePool(request: PoolWriteRequest): Promise<WrittenPool> {
  const { baseDirectory, remove = false, dryRun = false } = request;
  const profile = dryRun ? ((await readProfile(baseDirectory)) ?? newProfileId()) : await ensureProfile(baseDirectory);
  const file = settingsFileOf(baseDirectory, profile);
  const edit = async (): Promise<WrittenPool> => {
    const { text } = await readTomlFile(file);
    const after = (remove ? withoutPool : withPool)(text, request, file);
    const changed = after !== text;
    if (changed && !dryRun) await writeFileAtomically(file, after);
    return { file, profile, changed };
  };
  return dryRun ? edit() : withFileLock(file, edit);
}
