import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo, Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import type { HostChannel } from '../../lib/contract/channel';
import { awaitGreeting, connect, logIn, run } from '../../lib/ssh';
import { startSshd } from '../support/host/sshd';
import { freePort } from '../support/run/free-port';
import type { TestSshd } from '../support/host/sshd';
import { describeWith, program } from '../support/run/requirements';

const credentialsOf = ({ user, clientKey, nonce }: TestSshd) => ({
  user,
  privateKey: clientKey.privateKey,
  hostKey: { type: 'proof' as const, nonce },
});

const login = (sshd: TestSshd): Promise<HostChannel> =>
  connect({ host: sshd.host, port: sshd.port, ...credentialsOf(sshd) });

describeWith(program('sshd'), 'a channel forwards connections', () => {
  let sshd: TestSshd;
  let channel: HostChannel;
  let echo: Server;

  beforeAll(async () => {
    sshd = await startSshd();
    channel = await login(sshd);
    echo = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(echo, 'listening');
  });
  afterAll(async () => {
    channel.close();
    echo.close();
    await sshd.stop();
  });

  const echoPort = (): number => (echo.address() as AddressInfo).port;

  test('bytes go both ways, and each direction ends separately', async () => {
    const stream = await channel.forward('127.0.0.1', echoPort());
    const sent = 'some text, again and again. '.repeat(200_000);
    stream.end(sent);
    await expect(text(stream)).resolves.toBe(sent);
  });

  test('a Unix socket at the other end is reached by its path', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-socket-'));
    const path = join(folder, 'socket');
    const server = createServer({ allowHalfOpen: true }, (socket) => socket.pipe(socket)).listen(path);
    await once(server, 'listening');
    const stream = await channel.forwardSocket(path);
    const sent = 'some text, again and again. '.repeat(50_000);
    stream.end(sent);
    await expect(text(stream)).resolves.toBe(sent);
    server.close();
    await expect(channel.forwardSocket(join(folder, 'missing'))).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining(join(folder, 'missing')) as string,
    });
    await expect(channel.forwardSocket(path, { signal: AbortSignal.abort() })).rejects.toMatchObject({
      code: 'aborted',
    });
    rmSync(folder, { recursive: true });
  });

  test('nothing is opened after the channel was closed', async () => {
    const closed = await login(sshd);
    closed.close();
    await expect(closed.forwardSocket('/run/any')).rejects.toMatchObject({ code: 'unreachable' });
    await expect(closed.exec('true')).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('many connections share one channel', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, async (_, index) => {
        const stream = await channel.forward('127.0.0.1', echoPort());
        stream.end(`${index}`);
        return text(stream);
      }),
    );
    expect(answers).toEqual(answers.map((_, index) => `${index}`));
  });

  test('an address that nothing listens on is `unreachable`, and the channel stays open', async () => {
    const port = await freePort();
    await expect(channel.forward('127.0.0.1', port)).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(new RegExp(`cannot connect to 127.0.0.1 port ${port} at .*refused`, 'i')),
    });
    await expect(run(channel, 'echo open')).resolves.toMatchObject({ stdout: 'open\n' });
    expect(channel.lostBecause()).toBeUndefined();
  });

  test('an abort ends it', async () => {
    const controller = new AbortController();
    const opening = channel.forward('127.0.0.1', echoPort(), { signal: controller.signal });
    controller.abort(new Error('enough'));
    await expect(opening).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') });
  });

  test('a channel that was closed forwards nothing', async () => {
    const closed = await login(sshd);
    closed.close();
    await expect(closed.forward('127.0.0.1', echoPort())).rejects.toMatchObject({ code: 'unreachable' });
  });
});

describeWith(program('sshd'), 'a channel over a stream that is not a TCP connection', () => {
  let outer: TestSshd;
  let inner: TestSshd;
  let jump: HostChannel;

  beforeAll(async () => {
    [outer, inner] = await Promise.all([startSshd(), startSshd()]);
    jump = await login(outer);
  });
  afterAll(async () => {
    jump.close();
    await Promise.all([outer.stop(), inner.stop()]);
  });

  const greet = async () => {
    const stream = await jump.forward(inner.host, inner.port);
    return awaitGreeting(stream, { peer: 'host inner', timeoutMs: 20_000 }).greeting;
  };

  test('verifies the host key and runs commands as over TCP', async () => {
    const channel = await logIn(await greet(), credentialsOf(inner));
    expect(channel.where).toBe(`${inner.user}@host inner`);
    expect(channel.hostKey).toEqual(inner.hostKeyBlob);
    await expect(run(channel, 'cat; exit 3', { stdin: 'in' })).resolves.toMatchObject({ stdout: 'in', exitCode: 3 });
    channel.close();
  });

  test('refuses a host whose key is not proved', async () => {
    const credentials = { ...credentialsOf(inner), hostKey: { type: 'proof' as const, nonce: 'f'.repeat(64) } };
    const greeting = await greet();
    const closed = once(greeting.stream, 'close');
    await expect(logIn(greeting, credentials)).rejects.toMatchObject({
      code: 'unverified-host-key',
      message: expect.stringContaining('the machine at host inner shows a proof that does not fit its host key'),
    });
    await closed;
  });

  test('is lost together with the stream', async () => {
    const greeting = await greet();
    const channel = await logIn(greeting, credentialsOf(inner));
    const ended = run(channel, 'sleep 100');
    greeting.stream.destroy();
    await expect(ended).rejects.toMatchObject({ code: 'unreachable' });
    expect(channel.lostBecause()).toBeInstanceOf(Error);
  });
});

describeWith(program('sshd'), 'a channel gives access to files', () => {
  let sshd: TestSshd;
  let channel: HostChannel;
  let folder: string;

  beforeAll(async () => {
    sshd = await startSshd();
    channel = await login(sshd);
    folder = mkdtempSync(join(tmpdir(), 'mngr-files-'));
  });
  afterAll(async () => {
    channel.close();
    await sshd.stop();
    rmSync(folder, { recursive: true });
  });

  test('writes, lists, reads, and removes', async () => {
    const files = await channel.files();
    await files.makeDirectory(join(folder, 'new'), 0o700);
    const file = await files.open(join(folder, 'new/file'), 'w', 0o640);
    await file.write(Buffer.from('hello'), 0);
    await file.changeMode(0o600);
    await file.close();
    await files.makeLink('file', join(folder, 'new/link'));

    const entries = [...(await files.list(join(folder, 'new')))].sort((one, other) => (one.name < other.name ? -1 : 1));
    expect(entries).toEqual([
      { name: 'file', type: 'file', mode: 0o600, size: 5 },
      { name: 'link', type: 'link', mode: expect.any(Number), size: expect.any(Number) },
    ]);
    await expect(files.readLink(join(folder, 'new/link'))).resolves.toBe('file');
    await expect(files.stat(join(folder, 'new/link'))).resolves.toMatchObject({ type: 'file', size: 5 });
    await expect(files.lstat(join(folder, 'new/link'))).resolves.toMatchObject({ type: 'link' });

    const source = await files.open(join(folder, 'new/link'), 'r');
    const buffer = Buffer.alloc(10);
    await expect(source.read(buffer, 1)).resolves.toBe(4);
    expect(buffer.subarray(0, 4).toString()).toBe('ello');
    await expect(source.read(buffer, 5)).resolves.toBe(0);
    await source.close();

    await files.removeFile(join(folder, 'new/file'));
    await expect(files.stat(join(folder, 'new/file'))).rejects.toMatchObject({ code: 'ENOENT' });
    await expect(files.list(join(folder, 'missing'))).rejects.toMatchObject({ code: 'ENOENT' });
    files.close();
  });

  test('calls after the end are rejected', async () => {
    const files = await channel.files();
    files.close();
    await expect(files.stat('/')).rejects.toThrow('ended');
  });
});
