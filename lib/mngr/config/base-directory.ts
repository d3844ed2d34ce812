import { homedir } from 'node:os';
import { join, resolve } from 'node:path';

/**
 * mngr's base directory: `$MNGR_HOST_DIR`, else `~/.$MNGR_ROOT_NAME`, else `~/.mngr`
 * (mngr, config/pre_readers.py). Empty variables count as absent.
 */
export function mngrBaseDirectory(
  environment: NodeJS.ProcessEnv,
  home: string = environment.HOME || homedir(),
): string {
  const { MNGR_HOST_DIR: hostDirectory, MNGR_ROOT_NAME: rootName } = environment;
  if (hostDirectory) return resolve(hostDirectory.replace(/^~(?=$|\/)/, home));
  return join(home, `.${rootName || 'mngr'}`);
}

/** mngr's root configuration file. mngr itself only reads `profile` from it. */
export const configFileOf = (baseDirectory: string): string => join(baseDirectory, 'config.toml');

/** Where the launcher keeps keys and pinned host keys of a profile, one directory per host. */
export const keyDirectoryOf = (baseDirectory: string, profile: string): string =>
  join(baseDirectory, 'profiles', profile, 'fargate');
