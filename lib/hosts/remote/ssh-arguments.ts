import { MngrFargateError } from '../../contract/errors';
import { shellCommand } from '../../ssh';
import type { Host } from '../model/types';

const KEEPALIVE_SECONDS = 15;

/**
 * Arguments of the system's `ssh` for a host, with only this host's own key and pinned host key. `tty` gives the remote
 * command a terminal. Throws `denied` if this machine has no key, `unreachable` if the host has no address.
 */
export function sshArguments(
  host: Host,
  remoteCommand: readonly string[] = [],
  options: { readonly tty?: boolean } = {},
): string[] {
  const { address, identityFile, knownHostsFile } = host;
  if (address === null)
    throw new MngrFargateError('unreachable', `host ${host.name} has no address (it is ${host.state})`);
  if (identityFile === null || knownHostsFile === null) throw noKey(host);
  const settings = {
    IdentityFile: configurationPath(identityFile),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    UserKnownHostsFile: configurationPath(knownHostsFile),
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    ServerAliveInterval: String(KEEPALIVE_SECONDS),
  };
  return [
    ...['-F', '/dev/null', '-p', String(address.port)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...(options.tty === undefined ? [] : [options.tty ? '-tt' : '-T']),
    `${address.user}@${address.host}`,
    ...(remoteCommand.length === 0 ? [] : ['--', shellCommand(remoteCommand)]),
  ];
}

/** A path in ssh_config's syntax: in quotes, since it splits at spaces, and with `%` doubled, since it expands tokens. */
const configurationPath = (path: string): string =>
  `"${path.replaceAll('%', '%%').replace(/["\\]/g, String.raw`\$&`)}"`;

export const noKey = (host: Host): MngrFargateError =>
  new MngrFargateError('denied', `this machine has no key for host ${host.name}: it was created elsewhere`, {
    hint: 'use the machine that created it, or create hosts with `--authorized-key` for this one',
  });
