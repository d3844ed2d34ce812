import { existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** How a machine gets its packages; `none` if we don't know how. */
export type PackageSource = 'apt' | 'dnf' | 'apk' | 'brew' | 'none';

/** The programs that the image's scripts and mngr use on a host, with the package that brings each. */
const PROGRAMS: Readonly<Record<string, Readonly<Record<Exclude<PackageSource, 'none'>, string>>>> = {
  bash: { apt: 'bash', dnf: 'bash', apk: 'bash', brew: 'bash' },
  sshd: { apt: 'openssh-server', dnf: 'openssh-server', apk: 'openssh-server', brew: 'openssh' },
  'ssh-keygen': { apt: 'openssh-client', dnf: 'openssh', apk: 'openssh-keygen', brew: 'openssh' },
  openssl: { apt: 'openssl', dnf: 'openssl', apk: 'openssl', brew: 'openssl' },
  tmux: { apt: 'tmux', dnf: 'tmux', apk: 'tmux', brew: 'tmux' },
  git: { apt: 'git', dnf: 'git', apk: 'git', brew: 'git' },
  rsync: { apt: 'rsync', dnf: 'rsync', apk: 'rsync', brew: 'rsync' },
  jq: { apt: 'jq', dnf: 'jq', apk: 'jq', brew: 'jq' },
  flock: { apt: 'util-linux', dnf: 'util-linux', apk: 'flock', brew: 'flock' },
  xxd: { apt: 'xxd', dnf: 'xxd', apk: 'xxd', brew: 'vim' },
  ps: { apt: 'procps', dnf: 'procps-ng', apk: 'procps-ng', brew: 'procps' },
};

/** Not on the PATH of ordinary users. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/local/sbin', '/opt/homebrew/sbin', '/opt/homebrew/bin'];

const INSTALL: Readonly<Record<Exclude<PackageSource, 'none'>, string>> = {
  apt: 'apt-get install -y --no-install-recommends',
  dnf: 'dnf install -y',
  apk: 'apk add',
  brew: 'brew install',
};

export interface MissingPrograms {
  readonly programs: readonly string[];
  readonly packages: readonly string[];
  /** One command that installs them, or a sentence where the machine's package manager is unknown. */
  readonly command: string;
}

/** What tasks as processes need and this machine lacks; undefined when nothing is missing. */
export function missingPrograms(
  source: PackageSource = packageSource(),
  isInstalled: (program: string) => boolean = isOnThisMachine,
): MissingPrograms | undefined {
  const programs = Object.keys(PROGRAMS).filter((program) => !isInstalled(program));
  if (programs.length === 0) return undefined;
  if (source === 'none') {
    return { programs, packages: [], command: `install ${programs.join(', ')} with the system's package manager` };
  }
  const packages = [...new Set(programs.flatMap((program) => PROGRAMS[program]?.[source] ?? []))];
  const command = [INSTALL[source], ...packages].join(' ');
  return { programs, packages, command: source === 'brew' || process.getuid?.() === 0 ? command : `sudo ${command}` };
}

/**
 * By the system's name for itself (os-release: ID and ID_LIKE), since package managers of other systems can be
 * installed.
 */
export function packageSource(
  platform: NodeJS.Platform = process.platform,
  osRelease: string = readIfThere('/etc/os-release'),
): PackageSource {
  if (platform === 'darwin') return 'brew';
  const names = [...osRelease.matchAll(/^ID(?:_LIKE)?="?([^"\n]*)"?$/gm)].flatMap(([, ids = '']) => ids.split(' '));
  if (names.includes('debian') || names.includes('ubuntu')) return 'apt';
  if (names.includes('fedora') || names.includes('rhel')) return 'dnf';
  return names.includes('alpine') ? 'apk' : 'none';
}

function isOnThisMachine(program: string): boolean {
  const folders = [...(process.env.PATH ?? '').split(delimiter), ...SYSTEM_FOLDERS];
  return folders.some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}
