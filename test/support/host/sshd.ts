import { execFileSync, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { hostKeyProof } from '../../../lib/contract/host-key-proof';
import type { KeyPair } from '../../../lib/ssh';
import { generateKeyPair } from '../../../lib/ssh';
import { freePort } from '../run/free-port';

/** OpenSSH's sshd on a loopback port, with a key of its own and one authorized key. */
export interface TestSshd {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly clientKey: KeyPair;
  readonly hostKeyBlob: Buffer;
  readonly nonce: string;
  stop(): Promise<void>;
}

export interface TestSshdOptions {
  /** Default: 127.0.0.1. */
  readonly host?: string;
  readonly port?: number;
  /** What stands in the identification string instead of the proof. */
  readonly versionAddendum?: string;
  readonly clientKey?: KeyPair;
  readonly nonce?: string;
  /** Of the sessions. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Further lines of sshd_config. */
  readonly config?: readonly string[];
}

/** Bash reads the user's ~/.bashrc when sshd starts it as the outermost shell; what that does would be in the outputs. */
const NOT_OUTERMOST = { SHLVL: '1' };

export async function startSshd(options: TestSshdOptions = {}): Promise<TestSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-sshd-'));
  const { host = '127.0.0.1' } = options;
  const port = options.port ?? (await freePort());
  const clientKey = options.clientKey ?? generateKeyPair('test');
  const nonce = options.nonce ?? randomBytes(32).toString('hex');
  const hostKeyFile = join(folder, 'host_key');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', hostKeyFile]);
  const hostKeyBlob = Buffer.from(readFileSync(`${hostKeyFile}.pub`, 'utf8').split(' ')[1] as string, 'base64');
  writeFileSync(join(folder, 'authorized_keys'), `${clientKey.publicKey}\n`, { mode: 0o600 });
  const addendum = options.versionAddendum ?? `mngr-host-proof=${hostKeyProof(nonce, hostKeyBlob)}`;
  const lines = [
    `ListenAddress ${host.includes(':') ? `[${host}]` : host}:${port}`,
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${join(folder, 'authorized_keys')}`,
    `PidFile none`,
    'StrictModes no',
    'UsePAM no',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'PermitRootLogin prohibit-password',
    'MaxSessions 100',
    'MaxStartups 200',
    'DebianBanner no',
    'Subsystem sftp internal-sftp',
    `VersionAddendum ${addendum}`,
    `SetEnv ${Object.entries({ ...NOT_OUTERMOST, ...options.environment })
      .map(([name, value]) => `${name}=${value}`)
      .join(' ')}`,
    ...(options.config ?? []),
  ];
  writeFileSync(join(folder, 'sshd_config'), `${lines.join('\n')}\n`);
  if (process.getuid?.() === 0) mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });

  const sshd = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', join(folder, 'sshd_config')], {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true,
  });
  let log = '';
  const exited = new Promise<void>((resolve) => sshd.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    sshd.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (log.includes('Server listening')) resolve();
    });
    sshd.once('exit', () => reject(new Error(`sshd ended: ${log}`)));
  });
  return {
    host,
    port,
    user: userInfo().username,
    clientKey,
    hostKeyBlob,
    nonce,
    stop: async () => {
      try {
        process.kill(-(sshd.pid as number), 'SIGKILL');
      } catch {
        sshd.kill('SIGKILL');
      }
      await exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
