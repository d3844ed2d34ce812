import { readFile } from 'node:fs/promises';
import type { ServerHostKeyAlgorithm } from 'ssh2';
import { MngrFargateError } from '../../contract/errors';
import { fingerprintOf } from '../host-key-policy';
import { knownHostsName } from '../known-hosts';
import type { HopSettings } from './hop-settings';
import type { KnownServer } from './user-known-hosts';
import { knownServer } from './user-known-hosts';

const RSA: readonly ServerHostKeyAlgorithm[] = ['rsa-sha2-512', 'rsa-sha2-256'];
const ALL: readonly ServerHostKeyAlgorithm[] = [
  ...(['ssh-ed25519', 'ecdsa-sha2-nistp256', 'ecdsa-sha2-nistp384', 'ecdsa-sha2-nistp521'] as const),
  ...RSA,
];

export const readKnownServer = async ({ knownHostsFiles, knownAs, port }: HopSettings): Promise<KnownServer> => {
  const texts = await Promise.all(knownHostsFiles.map((file) => readFile(file, 'utf8').catch(() => '')));
  return knownServer(texts, knownAs, port);
};

/** Algorithms of the keys that are known, so that the server shows one of them; all for a stranger. */
export function hostKeyAlgorithms({ keys }: KnownServer): ServerHostKeyAlgorithm[] {
  const types = new Set(keys.map((key) => key.subarray(4, 4 + key.readUInt32BE(0)).toString('latin1')));
  const known = ALL.filter((name) => types.has(RSA.includes(name) ? 'ssh-rsa' : name));
  return known.length === 0 ? [...ALL] : known;
}

/** Why a bastion's key is not accepted; undefined if known_hosts has it. There is no trust on first use. */
export function bastionKeyProblem(
  key: Buffer,
  known: KnownServer,
  settings: HopSettings,
): MngrFargateError | undefined {
  const isIn = (keys: readonly Buffer[]): boolean => keys.some((one) => one.equals(key));
  if (isIn(known.keys) && !isIn(known.revoked)) return undefined;
  const { knownAs, port, knownHostsFiles } = settings;
  const name = knownHostsName(knownAs, port);
  const fingerprint = fingerprintOf(key);
  const details = { bastion: name, fingerprint, knownHostsFiles };
  const refuse = (why: string, hint: string): MngrFargateError =>
    new MngrFargateError('unverified-host-key', `the bastion ${name} shows host key ${fingerprint}, ${why}`, {
      details,
      hint,
    });
  if (isIn(known.revoked)) return refuse('which known_hosts revokes', 'nothing was sent to it; ask who runs it');
  if (known.keys.length > 0) {
    return refuse(
      'which is not the one in known_hosts: another machine may answer in its place',
      `nothing was sent to it; if its key was changed, ask who runs it for the new one, and remove the old one with: ssh-keygen -R '${name}'`,
    );
  }
  return refuse(
    known.hasAuthority
      ? 'and known_hosts has only a certificate authority for it, which is not supported'
      : 'which is not in known_hosts',
    `nothing was sent to it; compare the fingerprint with that of whoever runs it, then log in once with ssh, which asks and adds the key to ${knownHostsFiles[0] ?? 'known_hosts'}`,
  );
}

/** The server has none of the kinds of key that are known. */
export const otherKindOfKey = ({ knownAs, port, knownHostsFiles }: HopSettings, cause: Error): MngrFargateError => {
  const name = knownHostsName(knownAs, port);
  return new MngrFargateError('unverified-host-key', `the bastion ${name} has no host key of a kind in known_hosts`, {
    cause,
    details: { bastion: name, knownHostsFiles },
    hint: `nothing was sent to it; if its key was changed, ask who runs it for the new one, and remove the old one with: ssh-keygen -R '${name}'`,
  });
};
