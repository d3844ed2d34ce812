import { createHash } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { connect as connectTcp, createServer } from 'node:net';
import { PassThrough, Readable, Writable } from 'node:stream';
import type { HostChannel } from '../../lib/contract/channel';
import { connect, run } from '../../lib/ssh';
import { describeWith, program } from '../support/run/requirements';
import { startSshd } from '../support/host/sshd';
import type { TestSshd } from '../support/host/sshd';

const MEBIBYTE = 1024 * 1024;

/** Takes its time with each piece, as a terminal or a pipe does. */
class SlowHash extends Writable {
  readonly hash = createHash('sha256');
  bytes = 0;

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: () => void): void {
    this.hash.update(chunk);
    this.bytes += chunk.length;
    setImmediate(done);
  }
}

const login = ({ host, port, user, clientKey, nonce }: TestSshd): Promise<HostChannel> =>
  connect({ host, port, user, privateKey: clientKey.privateKey, hostKey: { type: 'proof', nonce } });

describeWith(program('sshd'), 'exec', () => {
  let sshd: TestSshd;
  let channel: HostChannel;

  beforeAll(async () => {
    sshd = await startSshd();
    channel = await login(sshd);
  });
  afterAll(async () => {
    channel.close();
    await sshd.stop();
  });

  test('keeps the two outputs apart and passes the exit code on', async () => {
    await expect(run(channel, 'echo out; echo err >&2; exit 7')).resolves.toEqual({
      exitCode: 7,
      signal: null,
      stdout: 'out\n',
      stderr: 'err\n',
    });
  });

  test('names the signal that killed the command', async () => {
    await expect(run(channel, 'kill -KILL $$')).resolves.toMatchObject({ exitCode: null, signal: 'KILL' });
  });

  test('input of any size arrives whole, and ends', async () => {
    const input = Buffer.alloc(24 * MEBIBYTE, 'some input, again and again. ');
    const { stdout } = await run(channel, 'sha256sum', {
      stdin: Readable.from([input.subarray(0, 5), input.subarray(5)]),
    });
    expect(stdout).toBe(`${createHash('sha256').update(input).digest('hex')}  -\n`);
    await expect(run(channel, 'cat', { stdin: 'ünïcode' })).resolves.toMatchObject({ stdout: 'ünïcode' });
    await expect(run(channel, 'cat')).resolves.toMatchObject({ stdout: '', exitCode: 0 });
  });

  test('output larger than every window arrives whole at a slow reader, on both streams at once', async () => {
    const stdout = new SlowHash();
    const stderr = new SlowHash();
    const command = 'head -c 20000000 /dev/zero >&2 & head -c 30000000 /dev/zero; wait';
    await channel.exec(command, { stdout, stderr });
    expect([stdout.bytes, stderr.bytes]).toEqual([30_000_000, 20_000_000]);
    expect(stdout.hash.digest('hex')).toBe(createHash('sha256').update(Buffer.alloc(30_000_000)).digest('hex'));
  });

  test('a reader that pauses holds the command up instead of filling memory', async () => {
    const stdout = new PassThrough({ highWaterMark: 1024 });
    const ended = channel.exec('yes | head -c 50000000', { stdout });
    const before = process.memoryUsage().rss;
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(process.memoryUsage().rss - before).toBeLessThan(30 * MEBIBYTE);
    stdout.resume();
    await expect(ended).resolves.toMatchObject({ exitCode: 0 });
  });

  test('a command that ends before its input does is done', async () => {
    const stdin = new PassThrough();
    stdin.write('first line\n');
    await expect(run(channel, 'head -n 1', { stdin })).resolves.toMatchObject({
      exitCode: 0,
      stdout: 'first line\n',
    });
    stdin.destroy();
  });

  test('an abort ends the waiting at once, and the connection lives on', async () => {
    const controller = new AbortController();
    const ended = run(channel, 'exec sleep 5', { signal: controller.signal });
    setTimeout(() => controller.abort(), 50);
    await expect(ended).rejects.toMatchObject({ code: 'aborted' });
    await expect(run(channel, 'true', { signal: controller.signal })).rejects.toMatchObject({ code: 'aborted' });
    await expect(run(channel, 'echo alive')).resolves.toMatchObject({ stdout: 'alive\n' });
  });

  test('an output stream that fails ends the command with its reason', async () => {
    const stdout = new Writable({ write: (_chunk, _encoding, done) => done(new Error('broken pipe')) });
    await expect(channel.exec('yes', { stdout })).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('broken pipe'),
    });
  });

  test('fifty commands share one connection', async () => {
    const results = await Promise.all(Array.from({ length: 50 }, (_, index) => run(channel, `echo ${index}`)));
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${index}\n`));
  });

  test('a connection that is lost is `unreachable`, for commands under way and for later ones', async () => {
    const doomed = await login(sshd);
    const ended = run(doomed, 'sleep 100');
    setTimeout(() => void run(doomed, 'kill -KILL $PPID').catch(() => undefined), 100);
    await expect(ended).rejects.toMatchObject({ code: 'unreachable' });
    await expect(run(doomed, 'true')).rejects.toMatchObject({ code: 'unreachable' });
    expect(doomed.lostBecause()).toMatchObject({ message: expect.any(String) });
  });
});

/** Milliseconds in which sshd answers and runs a short command. */
const LONG_ENOUGH = 1500;

/** A way to an sshd that can hold back what that says, and then passes it on in one piece, as a busy machine does. */
class SluggishNetwork {
  private passing = Infinity;
  private readonly server: Server;

  constructor(port: number) {
    this.server = createServer((client) => {
      const host = connectTcp(port, '127.0.0.1').on('error', () => client.destroy());
      const pieces: Buffer[] = [];
      client.on('error', () => host.destroy()).pipe(host);
      host.on('data', (piece: Buffer) => {
        if (this.passing-- > 0) {
          client.write(piece);
          return;
        }
        if (pieces.push(piece) === 1) setTimeout(() => client.write(Buffer.concat(pieces.splice(0))), LONG_ENOUGH);
      });
    });
  }

  async start(): Promise<number> {
    await once(this.server.listen(0, '127.0.0.1'), 'listening');
    return (this.server.address() as AddressInfo).port;
  }

  /** Lets one more answer pass: the one that opens a channel. */
  holdBack(): void {
    this.passing = 1;
  }

  stop(): void {
    this.server.close();
  }
}

describeWith(program('sshd'), 'exec where the end of a command comes together with the answer to its request', () => {
  let sshd: TestSshd;
  let network: SluggishNetwork;
  let channel: HostChannel;

  beforeAll(async () => {
    sshd = await startSshd();
    network = new SluggishNetwork(sshd.port);
    channel = await login({ ...sshd, port: await network.start() });
  });
  afterAll(async () => {
    channel.close();
    network.stop();
    await sshd.stop();
  });

  test.each([
    ['no input', () => undefined],
    ['input that nobody reads', () => 'unread'],
    ['input without an end', () => new PassThrough()],
  ])('passes the exit code on (%s)', async (_name, stdin) => {
    network.holdBack();
    await expect(run(channel, 'echo out; exit 7', { stdin: stdin() })).resolves.toEqual({
      exitCode: 7,
      signal: null,
      stdout: 'out\n',
      stderr: '',
    });
  });
});
