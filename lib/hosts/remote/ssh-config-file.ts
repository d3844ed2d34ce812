import { existsSync } from 'node:fs';
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { shellCommand } from '../../ssh';
import { writePrivateFile } from '../../util/atomic-file';
import { withFileLock } from '../../util/file-lock';
import type { HostRecord } from './key-store';
import { configurationPath, KEEPALIVE_SECONDS } from './ssh-arguments';

/** The file that the user's ssh_config includes; there once `config ssh` was run. */
export const sshConfigFileOf = (keyDirectory: string): string => join(keyDirectory, 'ssh_config');

/** Begins the line that keeps the proxy's words for the next writer of the file. */
const PROXY = '# proxy: ';
const HEADER =
  '# Written by mngr-fargate whenever a host is created, renamed or destroyed: the hosts of this machine for ssh.';

/** As many question marks as a host id has digits. */
const ANY_HOST_ID = `host-${'?'.repeat(32)}`;

interface HostFiles {
  readonly identityFile: string;
  readonly knownHostsFile: string;
}

export interface SshConfigSource {
  readonly keyDirectory: string;
  readonly records: () => Promise<readonly HostRecord[]>;
  readonly paths: (hostId: string) => HostFiles;
}

/** Writes the file. `proxy`: program and arguments that carry a connection to the host whose id and port follow them. */
export async function writeSshConfig(source: SshConfigSource, proxy: readonly string[]): Promise<string[]> {
  const file = sshConfigFileOf(source.keyDirectory);
  return withFileLock(file, () => write(source, proxy, file));
}

/** Brings the file up to date where there is one. */
export async function refreshSshConfig(source: SshConfigSource): Promise<void> {
  const file = sshConfigFileOf(source.keyDirectory);
  if (!existsSync(file)) return;
  await withFileLock(file, async () => {
    const proxy = proxyIn(await readFile(file, 'utf8').catch(() => ''));
    if (proxy !== undefined) await write(source, proxy, file);
  });
}

export const removeSshConfig = (keyDirectory: string): Promise<void> =>
  rm(sshConfigFileOf(keyDirectory), { force: true });

function proxyIn(text: string): readonly string[] | undefined {
  const line = text.split('\n').find((one) => one.startsWith(PROXY));
  try {
    const words: unknown = JSON.parse(line?.slice(PROXY.length) ?? '');
    return Array.isArray(words) && words.every((word) => typeof word === 'string') ? words : undefined;
  } catch {
    return undefined;
  }
}

async function write(source: SshConfigSource, proxy: readonly string[], file: string): Promise<string[]> {
  const records = [...(await source.records())].sort((one, other) => (one.createdAt < other.createdAt ? 1 : -1));
  const taken = new Set<string>();
  const blocks = records
    // A key that isn't pinned yet can't be checked.
    .filter(({ nonce }) => nonce === null)
    .map(({ hostId, name, provider }) => {
      // Of two hosts with one name, the younger has it.
      const names = [name, `${name}.${provider}`].filter((one) => !taken.has(one));
      names.forEach((one) => taken.add(one));
      const { identityFile, knownHostsFile } = source.paths(hostId);
      return section([...names, hostId], {
        HostName: hostId,
        IdentityFile: configurationPath(identityFile),
        UserKnownHostsFile: configurationPath(knownHostsFile),
        ...common(proxy),
      });
    });
  // For a program that brings key and known_hosts itself, such as mngr, also for hosts created since it read this.
  const any = section([ANY_HOST_ID], common(proxy));
  const text = [HEADER, PROXY + JSON.stringify(proxy), '', ...blocks, any].join('\n');
  await writePrivateFile(file, text);
  return [...taken].filter((name) => !name.includes('.')).sort();
}

const section = (names: readonly string[], settings: Readonly<Record<string, string>>): string =>
  [`Host ${names.join(' ')}`, ...Object.entries(settings).map(([name, value]) => `  ${name} ${value}`), ''].join('\n');

const common = (proxy: readonly string[]): Readonly<Record<string, string>> => ({
  User: 'root',
  Port: '22',
  IdentitiesOnly: 'yes',
  IdentityAgent: 'none',
  GlobalKnownHostsFile: '/dev/null',
  StrictHostKeyChecking: 'yes',
  PasswordAuthentication: 'no',
  KbdInteractiveAuthentication: 'no',
  ServerAliveInterval: String(KEEPALIVE_SECONDS),
  ProxyCommand: `${shellCommand(proxy).replaceAll('%', '%%')} %h %p`,
});
