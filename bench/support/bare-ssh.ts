import { once } from 'node:events';
import { createConnection } from 'node:net';
import { Client } from 'ssh2';
import type { ClientChannel } from 'ssh2';
import { ALGORITHMS } from '../../lib/ssh/algorithms';

/** An SSH server that a key opens. */
export interface SshServer {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** PEM. */
  readonly privateKey: string;
}

/** True when a key exchange with the SSH server succeeds; no user is named. */
export function keyExchange(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const client = new Client();
    const settle = (exchanged: boolean): void => {
      client.end();
      resolve(exchanged);
    };
    client
      .once('handshake', () => settle(true))
      .on('error', () => settle(false))
      .connect({ host, port, username: 'root', authHandler: [], hostVerifier: () => true });
  });
}

/**
 * Milliseconds that ssh2 alone needs over an open TCP connection: identification, key exchange and login, and with a
 * script also `sh -s` with the script as its input, to its end. The algorithms are the launcher's own, the cheapest
 * there are. Throws when the script fails.
 */
export async function timeBareSsh({ host, port, user, privateKey }: SshServer, script?: string): Promise<number> {
  const socket = createConnection({ host, port, noDelay: true });
  await once(socket, 'connect');
  const start = performance.now();
  const client = new Client();
  try {
    const ready = new Promise<void>((resolve, reject) => {
      client.once('ready', resolve).once('error', reject);
    });
    client.connect({
      sock: socket,
      username: user,
      privateKey,
      authHandler: ['publickey'],
      algorithms: ALGORITHMS,
      hostVerifier: () => true,
    });
    await ready;
    if (script !== undefined) await runScript(client, script);
    return performance.now() - start;
  } finally {
    client.end();
  }
}

async function runScript(client: Client, script: string): Promise<void> {
  const channel = await new Promise<ClientChannel>((resolve, reject) => {
    client.exec('sh -s', (error, opened) => (error === undefined ? resolve(opened) : reject(error)));
  });
  let complaints = '';
  channel.resume();
  channel.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  channel.end(script);
  const [exitCode] = (await once(channel, 'close')) as [number | undefined];
  if (exitCode !== 0) throw new Error(`a script on the host ended with ${exitCode}: ${complaints}`);
}
