import { readFile } from 'node:fs/promises';
import { Client } from 'ssh2';
import type { ConnectConfig } from 'ssh2';
import { ALGORITHMS } from '../../lib/ssh/algorithms';

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
 * Milliseconds of one SSH handshake: TCP connection, key exchange and login with a key, and nothing else. With the
 * launcher's own algorithms, the cheapest there are: others would only raise the floor.
 */
export async function timeHandshake(host: string, port: number, user: string, keyFile: string): Promise<number> {
  const privateKey = await readFile(keyFile);
  const settings: ConnectConfig = {
    ...{ host, port, username: user, privateKey, hostVerifier: () => true },
    algorithms: ALGORITHMS,
  };
  const start = performance.now();
  const client = new Client();
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject).connect(settings);
  });
  const milliseconds = performance.now() - start;
  client.end();
  return milliseconds;
}
