import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { Client, utils } from 'ssh2';
import { provesHostKey } from '../../../lib/contract/host-key-proof';
import type { TaskAddress } from '../../../lib/local/runtimes/runtime';

export interface TestKey {
  readonly privateKey: string;
  readonly publicKey: string;
}

export function testKey(): TestKey {
  const pair = utils.generateKeyPairSync('ed25519');
  return { privateKey: pair.private, publicKey: pair.public };
}

/** The identification string of the sshd at the address, as soon as one answers. */
export async function identificationAt(address: TaskAddress, seconds = 40): Promise<string> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const line = await identificationOnce(address);
    if (line !== undefined) return line;
    if (Date.now() > deadline) throw new Error(`no sshd answered at ${address.ip}:${address.port} in ${seconds} s`);
    await sleep(25);
  }
}

function identificationOnce(address: TaskAddress): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host: address.ip, port: address.port });
    let text = '';
    socket.setTimeout(5_000, () => socket.destroy());
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(undefined));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      if (!text.includes('\n')) return;
      socket.destroy();
      resolve(text.slice(0, text.indexOf('\n')));
    });
  });
}

/** Logs in as root with the key once the host key has proved itself, runs a command, and gives its output and code. */
export async function loginAndRun(
  address: TaskAddress,
  key: TestKey,
  nonce: string,
  command: string,
): Promise<{ output: string; code: number | null }> {
  const identification = await identificationAt(address);
  const client = new Client();
  try {
    await new Promise<void>((ready, failed) => {
      client.once('ready', ready).once('error', failed);
      client.connect({
        host: address.ip,
        port: address.port,
        username: 'root',
        privateKey: key.privateKey,
        readyTimeout: 40_000,
        hostVerifier: (hostKey: Buffer) => provesHostKey(identification, nonce, hostKey),
      });
    });
    return await new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error !== undefined) {
          reject(error);
          return;
        }
        let output = '';
        channel.on('data', (chunk: Buffer) => (output += chunk.toString()));
        channel.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
        channel.on('close', (code: number | null) => resolve({ output, code }));
      });
    });
  } finally {
    client.end();
  }
}
