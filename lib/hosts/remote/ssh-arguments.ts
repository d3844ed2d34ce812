import { resolve } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { shellCommand } from '../../ssh';
import type { Host } from '../model/types';

/** Seconds between two keepalive requests of the system's ssh. */
export const KEEPALIVE_SECONDS = 15;

/** As an address of its own, since `ProxyCommand` needs none: the host's id is among the names of its pinned key. */
const SSH_PORT = 22;
const SSH_USER = 'root';

export interface SshCommandOptions {
  /** True gives the remote command a terminal, false none. Default: ssh decides. */
  readonly tty?: boolean;
  /** Program and arguments that carry the connection on their stdin and stdout. Default: ssh connects to the address. */
  readonly proxy?: readonly string[];
  /** Ports of this machine that lead to what the host can reach, while ssh is connected. */
  readonly forwards?: readonly PortForward[];
  /** Socket of the user's ssh-agent, which programs on the host may then use. */
  readonly agentSocket?: string;
}

export interface PortForward {
  /** Address and port here. */
  readonly bind: string;
  readonly port: number;
  /** Host and port as the host sees them. */
  readonly host: string;
  readonly remotePort: number;
}

/**
 * Arguments of the system's `ssh` for a host, with only this host's own key and pinned host key. `tty` gives the remote
 * command a terminal. Throws `denied` if this machine has no key, `unreachable` if the host has no address.
 */
export function sshArguments(
  host: Host,
  remoteCommand: readonly string[] = [],
  options: SshCommandOptions = {},
): string[] {
  const { identityFile, knownHostsFile } = host;
  const { proxy, tty, forwards = [], agentSocket } = options;
  const address = proxy === undefined ? host.address : { host: host.hostId, port: SSH_PORT, user: SSH_USER };
  if (address === null)
    throw new MngrFargateError('unreachable', `host ${host.name} has no address (it is ${host.state})`);
  if (identityFile === null || knownHostsFile === null) throw noKey(host);
  const settings = {
    IdentityFile: configurationPath(identityFile),
    IdentitiesOnly: 'yes',
    // ssh forwards no other agent than this. IdentitiesOnly keeps it from offering the agent's keys to the host.
    IdentityAgent: agentSocket === undefined ? 'none' : configurationPath(resolve(agentSocket)),
    UserKnownHostsFile: configurationPath(knownHostsFile),
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    PasswordAuthentication: 'no',
    KbdInteractiveAuthentication: 'no',
    ServerAliveInterval: String(KEEPALIVE_SECONDS),
    ...(forwards.length > 0 && { ExitOnForwardFailure: 'yes' }),
    ...(agentSocket !== undefined && { ForwardAgent: 'yes' }),
    ...(proxy !== undefined && { ProxyCommand: shellCommand(proxy).replaceAll('%', '%%') }),
  };
  return [
    ...['-F', '/dev/null', '-p', String(address.port)],
    ...Object.entries(settings).flatMap(([name, value]) => ['-o', `${name}=${value}`]),
    ...forwards.flatMap((forward) => ['-L', forwardWord(forward)]),
    ...(tty === undefined ? [] : [tty ? '-tt' : '-T']),
    `${address.user}@${address.host}`,
    ...(remoteCommand.length === 0 ? [] : ['--', shellCommand(remoteCommand)]),
  ];
}

const forwardWord = ({ bind, port, host, remotePort }: PortForward): string =>
  [`[${bind}]`, port, `[${host}]`, remotePort].join(':');

/** A path in ssh_config's syntax: in quotes, since it splits at spaces, and with `%` doubled, since it expands tokens. */
export const configurationPath = (path: string): string =>
  `"${path.replaceAll('%', '%%').replace(/["\\]/g, String.raw`\$&`)}"`;

export const noKey = (host: Host): MngrFargateError =>
  new MngrFargateError('denied', `this machine has no key for host ${host.name}: it was created elsewhere`, {
    hint: 'use the machine that created it, or create hosts with `--authorized-key` for this one',
  });
