import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostKeyPolicy } from '../../lib/ssh';
import { connect, generateKeyPair, knock, logIn, pinHostKey, readPinnedHostKeys, run } from '../../lib/ssh';
import { writePrivateFile } from '../../lib/util/atomic-file';
import { describeWith, program } from '../support/run/requirements';
import { startSshd } from '../support/host/sshd';
import { freePort } from '../support/run/free-port';
import type { TestSshd } from '../support/host/sshd';

const login = (sshd: TestSshd, hostKey: HostKeyPolicy, extra: object = {}) =>
  connect({
    host: sshd.host,
    port: sshd.port,
    user: sshd.user,
    privateKey: sshd.clientKey.privateKey,
    hostKey,
    ...extra,
  });

describeWith(program('sshd'), 'connect', () => {
  let sshd: TestSshd;
  let folder: string;

  beforeAll(async () => {
    sshd = await startSshd();
    folder = mkdtempSync(join(tmpdir(), 'mngr-connect-'));
  });
  afterAll(async () => {
    await sshd.stop();
    rmSync(folder, { recursive: true });
  });

  test('accepts the key that the identification string proves, and hands it over for pinning', async () => {
    const connection = await login(sshd, { type: 'proof', nonce: sshd.nonce });
    expect(connection.hostKey).toEqual(sshd.hostKeyBlob);
    await expect(run(connection, 'echo ready')).resolves.toMatchObject({ exitCode: 0, stdout: 'ready\n' });
    connection.close();
  });

  test('refuses a proof made with another nonce before it authenticates', async () => {
    const attempt = login(sshd, { type: 'proof', nonce: 'f'.repeat(64) });
    await expect(attempt).rejects.toMatchObject({
      code: 'unverified-host-key',
      message: expect.stringContaining('shows a proof that does not fit its host key SHA256:'),
    });
  });

  test('refuses a server without a proof', async () => {
    const plain = await startSshd({ versionAddendum: 'none', clientKey: sshd.clientKey });
    try {
      await expect(login(plain, { type: 'proof', nonce: plain.nonce })).rejects.toMatchObject({
        code: 'unverified-host-key',
        message: expect.stringContaining('shows no proof of its host key'),
      });
    } finally {
      await plain.stop();
    }
  });

  test('refuses an intruder that replays the right proof with its own key', async () => {
    const { identification, stream } = await knock(sshd.host, sshd.port);
    stream.destroy();
    const intruder = await startSshd({
      clientKey: sshd.clientKey,
      nonce: sshd.nonce,
      versionAddendum: identification.split(' ').slice(1).join(' '),
    });
    try {
      await expect(login(intruder, { type: 'proof', nonce: sshd.nonce })).rejects.toMatchObject({
        code: 'unverified-host-key',
      });
    } finally {
      await intruder.stop();
    }
  });

  test('afterwards accepts the pinned key only', async () => {
    const file = join(folder, 'known_hosts');
    await pinHostKey(file, sshd.host, sshd.port, sshd.hostKeyBlob);
    const keys = await readPinnedHostKeys(file, sshd.host, sshd.port);
    (await login(sshd, { type: 'pinned', keys })).close();

    const other = await startSshd({ clientKey: sshd.clientKey });
    try {
      await expect(login(other, { type: 'pinned', keys })).rejects.toMatchObject({
        code: 'unverified-host-key',
        message: expect.stringContaining('not the pinned one'),
      });
    } finally {
      await other.stop();
    }
    await expect(login(sshd, { type: 'pinned', keys: [] })).rejects.toMatchObject({ code: 'unverified-host-key' });
  });

  test('the pinned file is what the system’s ssh needs for a strict check', async () => {
    const file = join(folder, 'known_hosts_strict');
    const identity = join(folder, 'id');
    await pinHostKey(file, sshd.host, sshd.port, sshd.hostKeyBlob);
    await writePrivateFile(identity, sshd.clientKey.privateKey);
    const output = execFileSync('ssh', [
      ...['-F', 'none', '-i', identity, '-p', String(sshd.port), '-o', `UserKnownHostsFile=${file}`],
      ...[
        '-o',
        'StrictHostKeyChecking=yes',
        '-o',
        'IdentitiesOnly=yes',
        `${sshd.user}@${sshd.host}`,
        'echo $((6 * 7))',
      ],
    ]);
    expect(output.toString()).toBe('42\n');
    expect(readFileSync(file, 'utf8')).toMatch(/^\[127\.0\.0\.1\]:\d+ ssh-ed25519 /);
  });

  test('a refused key is `denied`', async () => {
    const attempt = login(sshd, { type: 'proof', nonce: sshd.nonce }, { privateKey: generateKeyPair('x').privateKey });
    await expect(attempt).rejects.toMatchObject({ code: 'denied' });
  });

  test('a port where nothing listens is `unreachable`', async () => {
    const port = await freePort();
    const attempt = login({ ...sshd, port }, { type: 'proof', nonce: sshd.nonce });
    await expect(attempt).rejects.toMatchObject({ code: 'unreachable', message: expect.stringContaining(`${port}`) });
  });

  test('an abort ends a login that is under way', async () => {
    const signal = AbortSignal.abort();
    const greeting = await knock(sshd.host, sshd.port);
    await expect(
      logIn(greeting, {
        user: sshd.user,
        privateKey: sshd.clientKey.privateKey,
        hostKey: { type: 'proof', nonce: sshd.nonce },
        signal,
      }),
    ).rejects.toMatchObject({
      code: 'aborted',
    });
    expect(greeting.stream.destroyed).toBe(true);
    await expect(login(sshd, { type: 'proof', nonce: sshd.nonce }, { signal })).rejects.toMatchObject({
      code: 'aborted',
    });
  });

  test('a server that identifies itself and then keeps silent is `timed-out`', async () => {
    const server = await silentServer((socket) => socket.write('SSH-2.0-silent\r\n'));
    try {
      const silent = { ...sshd, port: (server.address() as AddressInfo).port };
      await expect(login(silent, { type: 'pinned', keys: [] }, { timeoutMs: 300 })).rejects.toMatchObject({
        code: 'timed-out',
      });
    } finally {
      server.close();
    }
  });

  test('a server that goes away in the key exchange is `unreachable`', async () => {
    const server = await silentServer((socket) => socket.end('SSH-2.0-gone\r\n'));
    try {
      const gone = { ...sshd, port: (server.address() as AddressInfo).port };
      await expect(login(gone, { type: 'pinned', keys: [] })).rejects.toMatchObject({ code: 'unreachable' });
    } finally {
      server.close();
    }
  });

  test('many logins in a row all succeed', async () => {
    for (let index = 0; index < 60; index++) {
      (await login(sshd, { type: 'proof', nonce: sshd.nonce })).close();
    }
  });
});

async function silentServer(onConnection: (socket: Socket) => void): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    onConnection(socket);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  return server;
}
