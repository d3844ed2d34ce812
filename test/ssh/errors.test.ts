import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostChannel } from '../../lib/contract/channel';
import { connect } from '../../lib/ssh';
import { channelProblem } from '../../lib/ssh/channel-problem';
import { copyProblem } from '../../lib/ssh/copy/problem';
import { freePort } from '../support/run/free-port';
import { startSshd } from '../support/host/sshd';
import type { TestSshd } from '../support/host/sshd';
import { describeWith, program } from '../support/run/requirements';

const credentialsOf = ({ user, clientKey, nonce }: TestSshd) => ({
  user,
  privateKey: clientKey.privateKey,
  hostKey: { type: 'proof' as const, nonce },
});

const failureOf = (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );

describe('channels that a server does not open', () => {
  const attempt = { doing: 'start SFTP', where: 'root@10.0.0.7 port 22', lost: undefined, leads: false };
  const openFailure = (reason: unknown, said: string): Error =>
    Object.assign(new Error(`(SSH) Channel open failure: ${said}`), { reason });

  test.each([
    ['not allowed', openFailure(1, 'administratively prohibited'), 'denied', /AllowTcpForwarding/],
    ['nothing there', openFailure(2, 'Connection refused'), 'unreachable', /nothing is listening/],
    ['a session too many', openFailure(2, 'open failed'), 'failed', /MaxSessions/],
    ['another kind of server', openFailure(3, 'unknown channel type'), 'failed', /OpenSSH/],
    ['a full host', openFailure(4, 'resource shortage'), 'failed', /memory or processes/],
    ['closed at once', openFailure('', 'server closed channel unexpectedly'), 'unreachable', /try again/],
    ['no SFTP', new Error('Unable to start subsystem: sftp'), 'failed', /internal-sftp/],
    ['no commands', new Error('Unable to exec'), 'failed', /log of the host/],
    ['no connection', new Error('Not connected'), 'unreachable', /try again/],
    ['cut off', new Error('No response from server'), 'unreachable', /try again/],
  ])('%s', (_what, error, code, hint) => {
    const problem = channelProblem(error, attempt);
    expect(problem).toMatchObject({ code, hint: expect.stringMatching(hint) as string });
    expect(problem.message).toMatch(/^cannot start SFTP at root@10\.0\.0\.7 port 22: /);
    expect(problem.message).not.toContain('(SSH)');
  });

  test('a lost connection is the reason of all that follows', () => {
    const lost = new Error('Keepalive timeout');
    expect(channelProblem(new Error('Not connected'), { ...attempt, lost })).toMatchObject({
      code: 'unreachable',
      message: 'cannot start SFTP at root@10.0.0.7 port 22: Keepalive timeout',
    });
  });
});

describeWith(program('sshd'), 'errors of SSH, as a user reads them', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-ssh-errors-'));
  let sshd: TestSshd;
  let channel: HostChannel;

  beforeAll(async () => {
    sshd = await startSshd({ config: ['PermitOpen none'] });
    channel = await connect({ host: sshd.host, port: sshd.port, ...credentialsOf(sshd) });
  });
  afterAll(async () => {
    channel.close();
    await sshd.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  test('a forward that sshd forbids', async () => {
    await expect(channel.forward('127.0.0.1', sshd.port)).rejects.toMatchObject({
      code: 'denied',
      hint: expect.stringContaining('PermitOpen') as string,
    });
  });

  test('a forward to a port where nothing listens', async () => {
    const open = await startSshd();
    const other = await connect({ host: open.host, port: open.port, ...credentialsOf(open) });
    try {
      await expect(other.forward('127.0.0.1', await freePort())).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/: Connection refused$/) as string,
        hint: expect.stringContaining('nothing is listening there') as string,
      });
    } finally {
      other.close();
      await open.stop();
    }
  });

  test('files: what is missing, in the way, or not a file', async () => {
    writeFileSync(join(folder, 'file'), '');
    const files = await channel.files();
    try {
      const read = (error: unknown): string => copyProblem(error, 'copy it').message;
      expect(read(await failureOf(files.stat(join(folder, 'absent'))))).toBe(
        'cannot copy it: no such file or directory',
      );
      // OpenSSH says "Failure" of an existing name, as of a full disk.
      expect(read(await failureOf(files.makeDirectory(join(folder, 'file'), 0o700)))).toBe(
        "cannot copy it: the host's SFTP server failed and does not say why (a full disk, or something of that name in the way)",
      );
    } finally {
      files.close();
    }
  });

  test('a key that was damaged on this machine', async () => {
    const { privateKey: _key, ...credentials } = credentialsOf(sshd);
    const damaged = {
      ...credentials,
      privateKey: '-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n',
    };
    await expect(connect({ host: sshd.host, port: sshd.port, ...damaged })).rejects.toMatchObject({
      code: 'failed',
      hint: expect.stringContaining('is damaged') as string,
    });
  });

  test('a port where nothing listens', async () => {
    const port = await freePort();
    await expect(connect({ host: '127.0.0.1', port, ...credentialsOf(sshd) })).rejects.toMatchObject({
      code: 'unreachable',
      message: `cannot reach SSH at 127.0.0.1 port ${port}: connection refused`,
    });
  });

  test('a machine that breaks off after its identification', async () => {
    const noise = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.write('SSH-2.0-OpenSSH_9.6\r\n');
      socket.once('data', () => socket.end(Buffer.from('000000010000000000000000', 'hex')));
    });
    await new Promise<void>((resolve) => noise.listen(0, '127.0.0.1', resolve));
    try {
      const { port } = noise.address() as AddressInfo;
      const hostKey = { type: 'pinned' as const, keys: [sshd.hostKeyBlob] };
      await expect(connect({ host: '127.0.0.1', port, ...credentialsOf(sshd), hostKey })).rejects.toMatchObject({
        code: 'unreachable',
        message: expect.stringMatching(/^(?:cannot reach SSH at|the machine at) 127/) as string,
      });
    } finally {
      noise.close();
    }
  });
});
