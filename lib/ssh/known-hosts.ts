import { readFile } from 'node:fs/promises';
import { writePrivateFile } from '../util/atomic-file';

const SSH_PORT = 22;

/** The name of an address in known_hosts: bare for port 22, else `[host]:port` (sshd(8), SSH_KNOWN_HOSTS FILE FORMAT). */
export const knownHostsName = (host: string, port: number): string => (port === SSH_PORT ? host : `[${host}]:${port}`);

/** The type of a public key in SSH wire form, for example `ssh-ed25519`. */
const keyTypeOf = (publicKey: Buffer): string =>
  publicKey.subarray(4, 4 + publicKey.readUInt32BE(0)).toString('latin1');

/** Formats a public key in SSH wire form as OpenSSH does: `ssh-ed25519 AAAA…`. */
export const openSshKey = (publicKey: Buffer): string => `${keyTypeOf(publicKey)} ${publicKey.toString('base64')}`;

/** A line of a known_hosts file. `key` is in OpenSSH's format. */
export const knownHostsLine = (host: string, port: number, key: string): string =>
  `${knownHostsName(host, port)} ${key}`;

/** Pins one host key for one address. The file then holds nothing else: it belongs to this host alone. */
export const pinHostKey = (file: string, host: string, port: number, publicKey: Buffer): Promise<void> =>
  pinHostKeyAs(file, [knownHostsName(host, port)], publicKey);

/** Pins one host key for a host of several names, as known_hosts has them. The file then holds nothing else. */
export async function pinHostKeyAs(file: string, names: readonly string[], publicKey: Buffer): Promise<void> {
  await writePrivateFile(file, `${names.join(',')} ${openSshKey(publicKey)}\n`);
}

/** The host keys, in SSH wire form, that a known_hosts text pins for an address. Comments and lines with a marker are skipped. */
export function pinnedHostKeys(knownHosts: string, host: string, port: number): Buffer[] {
  const name = knownHostsName(host, port);
  return knownHosts
    .split('\n')
    .filter((line) => !line.startsWith('#') && !line.startsWith('@'))
    .map((line) => line.trim().split(/\s+/))
    .filter(([names]) => names?.split(',').includes(name))
    .flatMap(([, , key]) => (key === undefined ? [] : [Buffer.from(key, 'base64')]));
}

/** The pinned host keys in a file; none if the file doesn't exist. */
export async function readPinnedHostKeys(file: string, host: string, port: number): Promise<Buffer[]> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '';
    throw error;
  });
  return pinnedHostKeys(text, host, port);
}
