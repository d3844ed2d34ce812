import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readlinkSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostChannel } from '../../lib/contract/channel';
import { connect, download, upload } from '../../lib/ssh';
import { until } from '../support/run/eventually';
import { describeWith, program } from '../support/run/requirements';
import { startSshd } from '../support/host/sshd';
import type { TestSshd } from '../support/host/sshd';

/** Every path below a folder, with what makes it what it is. */
function contents(folder: string, path = ''): Record<string, string> {
  const full = join(folder, path);
  const stats = lstatSync(full);
  if (stats.isSymbolicLink()) return { [path]: `-> ${readlinkSync(full)}` };
  const mode = (stats.mode & 0o777).toString(8);
  if (stats.isFile()) return { [path]: `${mode} ${readFileSync(full).toString('base64')}` };
  return Object.assign(
    { [path]: `${mode} folder` },
    ...readdirSync(full).map((name) => contents(folder, join(path, name))),
  );
}

describeWith(program('sshd'), 'upload and download', () => {
  let sshd: TestSshd;
  let channel: HostChannel;
  let base: string;
  let here: string;
  let there: string;

  beforeAll(async () => {
    sshd = await startSshd();
    channel = await connect({
      host: sshd.host,
      port: sshd.port,
      user: sshd.user,
      privateKey: sshd.clientKey.privateKey,
      hostKey: { type: 'proof', nonce: sshd.nonce },
    });
  });
  afterAll(async () => {
    channel.close();
    await sshd.stop();
  });
  beforeEach(() => {
    base = mkdtempSync(join(tmpdir(), 'mngr-copy-'));
    here = join(base, 'here');
    there = join(base, 'there');
    mkdirSync(here);
    mkdirSync(there);
  });
  afterEach(() => rmSync(base, { recursive: true }));

  test('a folder comes back as it went: modes, links, odd names, empty folders and files', async () => {
    const tree = join(here, 'a tree');
    mkdirSync(join(tree, 'empty'), { recursive: true });
    mkdirSync(join(tree, 'deep/er/est'), { recursive: true });
    writeFileSync(join(tree, 'run.sh'), '#!/bin/sh\n', { mode: 0o755 });
    writeFileSync(join(tree, 'secret'), 's', { mode: 0o600 });
    writeFileSync(join(tree, 'read only'), 'r', { mode: 0o444 });
    writeFileSync(join(tree, 'none'), '');
    for (const name of ['späce 😀', '-rf', "it's", 'a\nb', '$(x)', 'back\\slash', '*'])
      writeFileSync(join(tree, 'deep/er', name), name);
    symlinkSync('run.sh', join(tree, 'link'));
    symlinkSync('/nowhere/at/all', join(tree, 'deep/dangling'));
    chmodSync(join(tree, 'deep'), 0o750);
    mkdirSync(join(tree, 'locked'));
    writeFileSync(join(tree, 'locked/inside'), 'x');
    chmodSync(join(tree, 'locked'), 0o500);

    await upload(channel, tree, join(there, 'copy'));
    expect(contents(join(there, 'copy'))).toEqual(contents(tree));
    await download(channel, join(there, 'copy'), join(here, 'back'));
    expect(contents(join(here, 'back'))).toEqual(contents(tree));

    writeFileSync(join(tree, 'run.sh'), 'changed\n');
    await upload(channel, tree, join(there, 'copy') + '/../copy2');
    chmodSync(join(tree, 'locked'), 0o700);
  });

  test('goes into a folder that exists, and overwrites what has the same name', async () => {
    writeFileSync(join(here, 'file'), 'one');
    await upload(channel, join(here, 'file'), there);
    writeFileSync(join(here, 'file'), '2');
    await upload(channel, join(here, 'file'), `${there}/`);
    expect(readFileSync(join(there, 'file'), 'utf8')).toBe('2');
    await upload(channel, here, there);
    expect(readFileSync(join(there, 'here/file'), 'utf8')).toBe('2');
    await download(channel, join(there, 'file'), base);
    expect(readFileSync(join(base, 'file'), 'utf8')).toBe('2');
    await download(channel, join(there, 'file'), join(base, 'renamed'));
    expect(readFileSync(join(base, 'renamed'), 'utf8')).toBe('2');
  });

  test('large files keep every byte, whatever their size is a multiple of', async () => {
    for (const size of [65_535, 65_536, 65_537, 2 * 1024 * 1024, 20_000_003]) {
      const content = randomBytes(size);
      writeFileSync(join(here, 'large'), content);
      await upload(channel, join(here, 'large'), join(there, 'large'));
      expect(readFileSync(join(there, 'large')).equals(content)).toBe(true);
      await download(channel, join(there, 'large'), join(here, 'back'));
      expect(readFileSync(join(here, 'back')).equals(content)).toBe(true);
    }
  });

  test('a shorter file leaves nothing of the longer one that it replaces', async () => {
    writeFileSync(join(there, 'file'), 'a long content');
    writeFileSync(join(here, 'file'), 'short');
    await upload(channel, join(here, 'file'), there);
    expect(readFileSync(join(there, 'file'), 'utf8')).toBe('short');
    writeFileSync(join(here, 'file'), 'a long content');
    await download(channel, join(there, 'file'), here);
    expect(readFileSync(join(here, 'file'), 'utf8')).toBe('short');
  });

  test('thousands of small files', async () => {
    mkdirSync(join(here, 'many'));
    for (let index = 0; index < 2000; index++) writeFileSync(join(here, 'many', `file ${index}`), String(index));
    await upload(channel, join(here, 'many'), there);
    expect(contents(join(there, 'many'))).toEqual(contents(join(here, 'many')));
    await download(channel, join(there, 'many'), join(base, 'back'));
    expect(contents(join(base, 'back'))).toEqual(contents(join(here, 'many')));
  });

  test('files whose size the host does not know are read to their end', async () => {
    await download(channel, '/proc/self/status', join(here, 'status'));
    expect(readFileSync(join(here, 'status'), 'utf8')).toMatch(/^Name:[^]*nonvoluntary_ctxt_switches/);
  });

  test('nothing is written through a link that lies in the destination', async () => {
    mkdirSync(join(there, 'tree/sub'), { recursive: true });
    writeFileSync(join(there, 'tree/file'), 'x');
    writeFileSync(join(there, 'tree/sub/file'), 'x');
    mkdirSync(join(base, 'victim'));
    mkdirSync(join(here, 'tree'));
    symlinkSync(join(base, 'victim'), join(here, 'tree/sub'));
    await expect(download(channel, join(there, 'tree'), here)).rejects.toMatchObject({ code: 'failed' });
    expect(readdirSync(join(base, 'victim'))).toEqual([]);
  });

  test('what is missing is `not-found`, and says which side', async () => {
    await expect(upload(channel, join(here, 'missing'), there)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(join(here, 'missing')),
    });
    await expect(download(channel, join(there, 'missing'), here)).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining('on the host'),
    });
    writeFileSync(join(here, 'file'), 'x');
    await expect(upload(channel, join(here, 'file'), join(there, 'no/such/folder/'))).rejects.toMatchObject({
      code: 'not-found',
    });
  });

  test('an abort stops a copy and leaves no file open', async () => {
    writeFileSync(join(here, 'large'), Buffer.alloc(64 * 1024 * 1024));
    const controller = new AbortController();
    const copying = upload(channel, join(here, 'large'), there, { signal: controller.signal });
    await until(() => Promise.resolve(readdirSync(there).includes('large')), undefined, 1);
    controller.abort();
    await expect(copying).rejects.toMatchObject({ code: 'aborted' });
    expect(statSync(join(there, 'large')).size).toBeLessThan(64 * 1024 * 1024);
    await expect(download(channel, join(there, 'large'), here, { signal: controller.signal })).rejects.toMatchObject({
      code: 'aborted',
    });
  });
});
