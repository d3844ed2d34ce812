import { mkdirSync, mkdtempSync, rmSync, chmodSync, writeFileSync, existsSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { HostChannel } from '../../../lib/contract/channel';
import { installEngine } from '../../../lib/sandbox/engine/install';
import { connect } from '../../../lib/ssh';
import type { TestSshd } from '../../support/host/sshd';
import { startSshd } from '../../support/host/sshd';
import { describeWith, program } from '../../support/run/requirements';
import { collect, endEngine, rootRights } from '../../support/sandbox/engine-host';

describeWith([program('sshd'), rootRights], 'the engine is put on a host over SSH', () => {
  let sshd: TestSshd;
  let channel: HostChannel;
  let folder: string;
  const token = randomBytes(24).toString('hex');
  const login = (server: TestSshd): Promise<HostChannel> =>
    connect({
      host: server.host,
      port: server.port,
      user: server.user,
      privateKey: server.clientKey.privateKey,
      hostKey: { type: 'proof', nonce: server.nonce },
    });
  const options = () => ({
    token,
    directory: join(folder, 'run'),
    workspace: join(folder, 'workspace'),
    home: join(folder, 'home'),
  });

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'sandboxd-install-'));
    chmodSync(folder, 0o755);
    sshd = await startSshd();
    channel = await login(sshd);
  });
  afterAll(async () => {
    channel.close();
    await sshd.stop();
    await endEngine(join(folder, 'run', 'socket'), token);
    rmSync(folder, { recursive: true, force: true });
  });

  it('installs, runs commands and moves files, and survives the connection', async () => {
    const first = await installEngine(channel, options());
    await first.start('one', { shell: 'main', command: 'X=kept; sleep 0.3; echo $SSH_CONNECTION done' });
    expect((await collect(first, 'one')).stdout).toBe('done\n');
    const { pid } = await first.status();
    await first.write('file', Readable.from([Buffer.alloc(3_000_000, 'x')]));
    expect((await text((await first.read('file')).data)).length).toBe(3_000_000);
    first.close();
    channel.close();
    channel = await login(sshd);
    const again = await installEngine(channel, options());
    expect((await again.status()).pid).toBe(pid);
    await again.start('two', { shell: 'main', command: 'echo $X' });
    expect((await collect(again, 'two')).stdout).toBe('kept\n');
    again.close();
  });

  it('keeps its things to itself', () => {
    expect(statSync(join(folder, 'run', 'socket')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run', 'token.sha256')).mode & 0o777).toBe(0o600);
    expect(statSync(join(folder, 'run.js')).mode & 0o777).toBe(0o644);
    expect(existsSync(join(folder, 'run', 'journal'))).toBe(true);
  });

  it('says session_unavailable when the connection is lost', async () => {
    const other = await login(sshd);
    const client = await installEngine(other, options());
    await client.start('long', { argv: ['sleep', '1000'] });
    const output = collect(client, 'long');
    await client.status();
    other.close();
    await expect(output).rejects.toMatchObject({ code: 'session_unavailable' });
    await expect(client.status()).rejects.toMatchObject({ code: 'session_unavailable' });
    const again = await installEngine(channel, options());
    await again.forget('long');
    again.close();
  });

  it('names what a host lacks', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    writeFileSync(join(bin, 'node'), '#!/bin/sh\nexit 91\n', { mode: 0o755 });
    const poor = await startSshd({ environment: { PATH: `${bin}:/usr/bin:/bin` } });
    const other = await login(poor);
    await expect(installEngine(other, options())).rejects.toMatchObject({
      code: 'session_unavailable',
      message: expect.stringContaining('install nodejs 18 or newer') as string,
    });
    other.close();
    await poor.stop();
  });
});
