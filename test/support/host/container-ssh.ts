import { execFile, spawn } from 'node:child_process';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'ssh2';
import type { ClientChannel, ConnectConfig } from 'ssh2';
import { readFileSync } from 'node:fs';
import { endInTime } from '../run/bounded-child';
import type { BootedHost } from './container-host';

/** What it takes to log in. */
export type Login = Pick<BootedHost, 'address' | 'user' | 'clientKeyFile'>;

const run = promisify(execFile);

export interface CommandResult {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Options of OpenSSH's programs that reach the host without touching the user's own files. */
export const sshOptions = (host: Login): string[] => [
  ...['-F', '/dev/null', '-i', host.clientKeyFile],
  ...['-o', 'IdentitiesOnly=yes', '-o', 'IdentityAgent=none', '-o', 'BatchMode=yes', '-o', 'LogLevel=ERROR'],
  ...['-o', 'StrictHostKeyChecking=no', '-o', 'UserKnownHostsFile=/dev/null'],
];

export const destination = (host: Login): string => `${host.user}@${host.address.host}`;

/** Runs a command on the host through OpenSSH's client. */
export function ssh(
  host: Login,
  command: string,
  options: { input?: string; flags?: readonly string[]; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  const flags = options.flags ?? [];
  const args = [...sshOptions(host), '-p', String(host.address.port), ...flags, destination(host), '--', command];
  return program('ssh', args, { input: options.input, env: options.env });
}

/** What a command that must succeed prints. */
export async function sshOutput(host: Login, command: string): Promise<string> {
  const result = await ssh(host, command);
  if (result.code !== 0) throw new Error(`'${command}' ended with ${result.code}: ${result.stderr}`);
  return result.stdout;
}

export function program(
  name: string,
  args: readonly string[],
  options: { input?: string; env?: Record<string, string> } = {},
): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(name, args, { env: { ...process.env, ...options.env } });
    endInTime(child);
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    // A program that ends before it has read its input is judged by its exit code.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
  });
}

/** The value of rsync's `-e` and of GIT_SSH_COMMAND. */
export const sshCommandLine = (host: Login): string =>
  ['ssh', ...sshOptions(host), '-p', String(host.address.port)].map((word) => `'${word}'`).join(' ');

/** The identification string and the host key that one and the same connection shows. */
export function greeting(host: Login): Promise<{ identification: string; hostKey: Buffer }> {
  return new Promise((resolve, reject) => {
    const socket = connect(host.address);
    let received = '';
    socket.on('data', (chunk: Buffer) => (received += received.includes('\n') ? '' : chunk.toString('latin1')));
    const client = new Client();
    client.once('error', (error) => reject(error));
    client.connect({
      sock: socket,
      username: host.user,
      hostVerifier: (hostKey: Buffer) => {
        resolve({ identification: received.split('\r\n')[0] as string, hostKey });
        setImmediate(() => client.destroy());
        return false;
      },
    });
    client.on('error', () => undefined);
  });
}

/** An ssh2 connection, for what OpenSSH's client doesn't show. */
export function connectClient(host: Login, config: Partial<ConnectConfig> = {}): Promise<Client> {
  return new Promise((resolve, reject) => {
    const client = new Client();
    client.once('ready', () => resolve(client));
    client.once('error', reject);
    client.connect({
      host: host.address.host,
      port: host.address.port,
      username: host.user,
      privateKey: readFileSync(host.clientKeyFile),
      hostVerifier: () => true,
      readyTimeout: 30_000,
      ...config,
    });
  });
}

export const openSession = (client: Client, command: string): Promise<ClientChannel> =>
  new Promise((resolve, reject) => {
    client.exec(command, (error, channel) => (error === undefined ? resolve(channel) : reject(error)));
  });

/** The fingerprint of a public key file, as sshd logs it. */
export async function fingerprint(keyFile: string): Promise<string> {
  const { stdout } = await run('ssh-keygen', ['-lf', join(`${keyFile}.pub`)]);
  return stdout.split(' ')[1] as string;
}
