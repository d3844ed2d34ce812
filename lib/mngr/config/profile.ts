import { randomUUID } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { writeFileAtomically } from '../../util/atomic-file';
import { configFileOf } from './base-directory';
import { TomlFile } from '../toml/toml-file';
import { withFileLock } from '../../util/file-lock';
import { withProfileLine } from './provider-block';

/**
 * The profile that a config.toml names; undefined if it names none. Throws `usage` for a name that can't be a
 * directory.
 */
export function profileIn({ document, path }: TomlFile): string | undefined {
  const { profile } = document;
  if (profile === undefined) return undefined;
  if (typeof profile !== 'string' || !/^[^/\\\0]+$/.test(profile) || profile === '.' || profile === '..') {
    throw new MngrFargateError('usage', `${path}: "profile" must be the name of a directory in profiles/`);
  }
  return profile;
}

/** A new profile id as mngr makes them: a version 4 UUID without its dashes. */
export const newProfileId = (): string => randomUUID().replaceAll('-', '');

/** The user's profile without writing anything; undefined on a machine where mngr has never run. */
export const readProfile = async (baseDirectory: string): Promise<string | undefined> =>
  profileIn(await TomlFile.read(configFileOf(baseDirectory)));

/**
 * The user's profile, made the way mngr makes it where there is none: a `profile` line in config.toml, which keeps
 * everything else, and the directory `profiles/<id>`.
 */
export async function ensureProfile(baseDirectory: string): Promise<string> {
  const path = configFileOf(baseDirectory);
  const profile =
    (await readProfile(baseDirectory)) ??
    (await withFileLock(path, async () => {
      const file = await TomlFile.read(path);
      const present = profileIn(file);
      if (present !== undefined) return present;
      const made = newProfileId();
      await writeFileAtomically(path, withProfileLine(file, made).text);
      return made;
    }));
  await mkdir(join(baseDirectory, 'profiles', profile), { recursive: true, mode: 0o700 });
  return profile;
}
