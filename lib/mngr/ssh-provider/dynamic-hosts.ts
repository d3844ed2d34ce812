import { createHash } from 'node:crypto';
import { join, sep } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { isHostName } from '../../contract/host-name';
import type { TomlFile } from '../toml/toml-file';
import { renderTable } from '../toml/values';
import type { TomlTable } from '../toml/toml-table';

/** One host of the registry that mngr's built-in `ssh` provider reads (mngr, providers/ssh/config.py, SSHHostConfig). */
export interface DynamicHost {
  /** mngr's host name; the table's name in the file. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  readonly user: string;
  /** Absolute paths: mngr expands `~` in one of the two and not in the other. */
  readonly keyFile: string;
  /** mngr verifies the host's key by this file and refuses any other; without it it would trust the first one it sees. */
  readonly knownHostsFile: string;
}

/** Where the `ssh` provider looks when its block names no file (mngr, providers/ssh/backend.py). */
export const dynamicHostsFileOf = (baseDirectory: string, profile: string, sshProvider: string): string =>
  join(baseDirectory, 'profiles', profile, 'providers', sshProvider, 'dynamic_hosts.toml');

/** Namespace of the ids that the `ssh` provider gives its hosts (mngr, providers/ssh/instance.py). */
const HOST_ID_NAMESPACE = 'a1b2c3d4e5f67890abcdef1234567890';

/**
 * The id that mngr's `ssh` provider gives a host: `host-` and the version 5 UUID of `<provider>:<host name>`. It
 * doesn't depend on the task: the next host with this name gets the same id.
 */
export function sshProviderHostId(sshProvider: string, name: string): string {
  const hash = createHash('sha1')
    .update(Buffer.from(HOST_ID_NAMESPACE, 'hex'))
    .update(`${sshProvider}:${name}`)
    .digest();
  const bytes = hash.subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return `host-${bytes.toString('hex')}`;
}

const HEADER = `# Written by "mngr-fargate mngr sync": mngr's ssh provider finds the running Fargate hosts here.
# Every sync overwrites it. Put hosts of your own into [providers.NAME.hosts.HOST] in mngr's settings.toml.
`;

/** The whole file. Equal hosts make equal text, whatever order they come in. */
export function renderDynamicHosts(hosts: readonly DynamicHost[]): string {
  const ordered = [...hosts].sort((one, other) => (one.name < other.name ? -1 : 1));
  return [HEADER, ...ordered.map(renderHost)].join('\n');
}

const renderHost = (host: DynamicHost): string =>
  renderTable([host.name], {
    address: host.address,
    port: host.port,
    user: host.user,
    key_file: host.keyFile,
    known_hosts_file: host.knownHostsFile,
  });

/**
 * The hosts that the file has. Throws `usage` for an entry that a sync can't have written: its key isn't below
 * `keyDirectory`, and rewriting the file would lose it.
 */
export function dynamicHostsIn({ document, path }: TomlFile, keyDirectory: string): DynamicHost[] {
  return Object.entries(document).map(([name, entry]) => {
    const host = isHostName(name) ? hostIn(name, entry as TomlTable) : undefined;
    if (host !== undefined && host.keyFile.startsWith(keyDirectory + sep)) return host;
    throw new MngrFargateError('usage', `${path} holds ${JSON.stringify(name)}, which "mngr sync" did not write`, {
      hint: "move it to [providers.NAME.hosts.HOST] in mngr's settings.toml, or sync another provider with --pool",
      details: { file: path, entry: name },
    });
  });
}

function hostIn(name: string, entry: TomlTable): DynamicHost | undefined {
  const { address, port, user, key_file: keyFile, known_hosts_file: knownHostsFile } = entry;
  const isComplete =
    typeof address === 'string' &&
    typeof port === 'number' &&
    typeof user === 'string' &&
    typeof keyFile === 'string' &&
    typeof knownHostsFile === 'string';
  return isComplete ? { name, address, port, user, keyFile, knownHostsFile } : undefined;
}
