import { existsSync } from 'node:fs';
import { KeyStore } from './key-store';
import { removeSshConfig, sshConfigFileOf, writeSshConfig } from './ssh-config-file';

/** The ssh_config of this machine's hosts, which the launcher keeps up to date once it has been written. */
export const sshConfigOf = (keyDirectory: string) => ({
  /** To be included by the user's own. */
  file: sshConfigFileOf(keyDirectory),
  /** Writes it, and returns the names of the hosts in it. `proxy` as in `writeSshConfig`. */
  write: (proxy: readonly string[]): Promise<string[]> => writeSshConfig(new KeyStore(keyDirectory), proxy),
  isWritten: (): boolean => existsSync(sshConfigFileOf(keyDirectory)),
  remove: (): Promise<void> => removeSshConfig(keyDirectory),
  /** The provider of a host that this machine has created; undefined for any other. */
  providerOf: async (hostId: string): Promise<string | undefined> =>
    (await new KeyStore(keyDirectory).record(hostId))?.provider,
});
