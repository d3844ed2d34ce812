import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { MngrFargateError, isMngrFargateError } from '../../contract/errors';
import type { JumpHost } from '../../contract/proxy-jump';
import { runProgram } from '../../util/run-program';

/** The user's own SSH, whose keys and known hosts a bastion is reached with. */
export interface UserSsh {
  /** Home directory. Default: this process's. */
  readonly home?: string;
  /** Socket of ssh-agent. Default: `SSH_AUTH_SOCK` of this process. */
  readonly agentSocket?: string;
}

/** How one bastion is reached. */
export interface HopSettings {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** The name by which known_hosts has it. */
  readonly knownAs: string;
  readonly knownHostsFiles: readonly string[];
  readonly identityFiles: readonly string[];
  /** No other keys of the agent than those of the identity files. */
  readonly identitiesOnly: boolean;
  readonly agentSocket: string | undefined;
  /** The bastions before it, as the user's configuration has them. */
  readonly proxyJump: string | undefined;
}

const SSH_PORT = 22;
const KEY_NAMES = ['id_ed25519', 'id_ecdsa', 'id_rsa'];
const SYSTEM_KNOWN_HOSTS = ['/etc/ssh/ssh_known_hosts', '/etc/ssh/ssh_known_hosts2'];

/**
 * What the user's ssh would use: `ssh -G` reads their ssh_config, and connects to nothing. OpenSSH's defaults where it isn't
 * installed. Throws `usage` if it can't read its configuration, or reaches the bastion through a program.
 */
export async function hopSettings(hop: JumpHost, userSsh: UserSsh, signal?: AbortSignal): Promise<HopSettings> {
  const home = userSsh.home ?? homedir();
  const agentSocket = userSsh.agentSocket ?? process.env.SSH_AUTH_SOCK;
  const output = await configurationOf(hop, home, signal);
  const lines = output.split('\n').map((line) => line.split(' '));
  const all = (name: string): string[][] => lines.filter(([key]) => key === name).map(([, ...values]) => values);
  const one = (name: string): string | undefined => all(name)[0]?.join(' ');
  const command = one('proxycommand');
  if (command !== undefined && command !== 'none') {
    throw new MngrFargateError('usage', `ssh's configuration reaches the bastion ${hop.host} with a ProxyCommand`, {
      hint: 'only bastions with an address of their own can be used: name it, or give it a ProxyJump',
    });
  }
  const path = (text: string): string => inHome(text, home);
  const host = one('hostname') ?? hop.host;
  const knownHosts = [...(all('userknownhostsfile')[0] ?? []), ...(all('globalknownhostsfile')[0] ?? [])];
  const identityFiles = all('identityfile').map((values) => path(values.join(' ')));
  return {
    host,
    port: Number(one('port') ?? hop.port ?? SSH_PORT),
    user: one('user') ?? hop.user ?? userInfo().username,
    knownAs: one('hostkeyalias') ?? host,
    knownHostsFiles: output === '' ? [join(home, '.ssh', 'known_hosts'), ...SYSTEM_KNOWN_HOSTS] : knownHosts.map(path),
    identityFiles: output === '' ? KEY_NAMES.map((name) => join(home, '.ssh', name)) : identityFiles,
    identitiesOnly: one('identitiesonly') === 'yes',
    agentSocket: agentSocketOf(one('identityagent'), agentSocket, path),
    proxyJump: one('proxyjump'),
  };
}

/** Empty where ssh isn't installed. */
async function configurationOf({ user, host, port }: JumpHost, home: string, signal?: AbortSignal): Promise<string> {
  const file = join(home, '.ssh', 'config');
  const words = [
    'ssh',
    '-G',
    // ssh itself asks the user database for the home directory, whatever HOME says.
    ...(home === userInfo().homedir ? [] : ['-F', existsSync(file) ? file : 'none']),
    ...(user === undefined ? [] : ['-l', user]),
    ...(port === undefined ? [] : ['-p', String(port)]),
    '--',
    host,
  ];
  try {
    const run = await runProgram(words, { environment: process.env, workingDirectory: '/', signal });
    if (run.exitCode === 0) return run.stdout;
    const said = run.stderr.trim().split('\n')[0] ?? '';
    throw new MngrFargateError('usage', `ssh cannot read its configuration for the bastion ${host}: ${said}`, {
      hint: `correct ${file}; see what ssh makes of it with: ssh -G ${host}`,
    });
  } catch (error) {
    const { code } = (isMngrFargateError(error) ? error.cause : undefined) as NodeJS.ErrnoException;
    if (code === 'ENOENT') return '';
    throw error;
  }
}

function inHome(text: string, home: string): string {
  const path = text
    .replaceAll('%d', home)
    .replaceAll('%%', '%')
    .replace(/^~(?=\/)/, home);
  const systemHome = `${userInfo().homedir}/.ssh/`;
  return path.startsWith(systemHome) ? join(home, '.ssh', path.slice(systemHome.length)) : path;
}

/** ssh_config(5), IdentityAgent. */
function agentSocketOf(
  setting: string | undefined,
  usual: string | undefined,
  path: (text: string) => string,
): string | undefined {
  if (setting === undefined || setting === 'SSH_AUTH_SOCK') return usual || undefined;
  if (setting === 'none') return undefined;
  return setting.startsWith('$') ? process.env[setting.replace(/^\$\{?(\w+)\}?$/, '$1')] : path(setting);
}
