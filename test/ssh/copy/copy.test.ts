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
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostChannel } from '../../../lib/contract/channel';
import { connect, download, upload } from '../../../lib/ssh';
import { until } from '../../support/run/eventually';
import { describeWith, mountRights, program } from '../../support/run/requirements';
import { startSshd } from '../../support/host/sshd';
import type { TestSshd } from '../../support/host/sshd';

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

  test('a folder comes back unchanged: modes, links, odd names, empty folders and files', async () => {
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
    symlinkSync('nowhere/at/all', join(tree, 'deep/dangling'));
    symlinkSync('../run.sh', join(tree, 'deep/up'));
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

  test('large files keep every byte at every size', async () => {
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

  test('nothing is written through a link that lies in the destination, and the rest is copied', async () => {
    mkdirSync(join(there, 'tree/sub'), { recursive: true });
    writeFileSync(join(there, 'tree/file'), 'x');
    writeFileSync(join(there, 'tree/sub/file'), 'x');
    mkdirSync(join(base, 'victim'));
    mkdirSync(join(here, 'tree'));
    symlinkSync(join(base, 'victim'), join(here, 'tree/sub'));
    await expect(download(channel, join(there, 'tree'), here)).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining('sub'),
    });
    expect(readdirSync(join(base, 'victim'))).toEqual([]);
    expect(readFileSync(join(here, 'tree/file'), 'utf8')).toBe('x');
  });

  test('links that point outside the copied folder are skipped, the others are recreated', async () => {
    mkdirSync(join(there, 'tree/sub'), { recursive: true });
    writeFileSync(join(there, 'tree/file'), 'x');
    const outside = { 'NOTES.md': '../../victim', absolute: '/etc/passwd', 'sub/up': '../..', bent: 'sub/../../x' };
    for (const [name, target] of Object.entries(outside)) symlinkSync(target, join(there, 'tree', name));
    symlinkSync('file', join(there, 'tree/inside'));
    const skipped: string[] = [];
    const result = await download(channel, join(there, 'tree'), here, { onSkip: ({ path }) => skipped.push(path) });
    expect(skipped.sort()).toEqual(Object.keys(outside).sort());
    expect(result.skipped.map(({ path }) => path).sort()).toEqual(skipped);
    expect(Object.keys(contents(join(here, 'tree'))).sort()).toEqual(['', 'file', 'inside', 'sub']);
  });

  test('a file takes the place of a link, and does not go through it', async () => {
    writeFileSync(join(there, 'file'), 'new');
    writeFileSync(join(base, 'victim'), 'old');
    symlinkSync(join(base, 'victim'), join(here, 'file'));
    await download(channel, join(there, 'file'), join(here, 'file'));
    expect(contents(here)).toMatchObject({ file: `644 ${Buffer.from('new').toString('base64')}` });
    expect(readFileSync(join(base, 'victim'), 'utf8')).toBe('old');
  });

  test('existing files keep their permission bits, and new ones get no more than the umask allows', async () => {
    mkdirSync(join(there, 'tree/old'), { recursive: true });
    mkdirSync(join(there, 'tree/new'));
    writeFileSync(join(there, 'tree/old/file'), 'x');
    writeFileSync(join(there, 'tree/new/file'), 'x');
    for (const path of ['tree', 'tree/old', 'tree/new', 'tree/old/file', 'tree/new/file'])
      chmodSync(join(there, path), 0o777);
    mkdirSync(join(here, 'tree/old'), { recursive: true });
    writeFileSync(join(here, 'tree/old/file'), '', { mode: 0o640 });
    chmodSync(join(here, 'tree/old'), 0o700);
    const umask = process.umask(0o077);
    try {
      await download(channel, join(there, 'tree'), here);
    } finally {
      process.umask(umask);
    }
    const modes = Object.entries(contents(join(here, 'tree'))).map(([path, what]) => `${path} ${what.split(' ')[0]}`);
    expect(modes.sort()).toEqual([' 755', 'new 700', 'new/file 700', 'old 700', 'old/file 640']);

    chmodSync(there, 0o1777);
    await upload(channel, there, base);
    expect(statSync(there).mode & 0o7777).toBe(0o1777);
  });

  test('sockets and names that are not UTF-8 are skipped both ways, and the rest is copied', async () => {
    const tree = join(here, 'tree');
    mkdirSync(tree);
    writeFileSync(join(tree, 'file'), 'x');
    writeFileSync(Buffer.concat([Buffer.from(`${tree}/bad `), Buffer.from([0xff, 0xfe])]), 'x');
    const server = createServer().listen(join(tree, 'socket'));
    await once(server, 'listening');
    try {
      const up = await upload(channel, tree, there);
      expect(up.skipped.map(({ reason }) => reason).sort()).toEqual([
        'it is neither a file, a folder nor a link',
        'its name is not UTF-8',
      ]);
      const down = await download(channel, tree, join(base, 'back'));
      expect(down.skipped).toHaveLength(2);
    } finally {
      server.close();
    }
    for (const copy of [join(there, 'tree'), join(base, 'back')]) expect(readdirSync(copy)).toEqual(['file']);
  });

  test('an entry that cannot be copied does not stop the others, and is named at the end', async () => {
    for (const name of ['a', 'b', 'c']) writeFileSync(join(there, name), name);
    mkdirSync(join(base, 'back/there/b'), { recursive: true });
    await expect(download(channel, there, join(base, 'back'))).rejects.toMatchObject({
      message: expect.stringMatching(/^cannot copy b: there is a folder of that name$/),
      details: { failureCount: 1 },
    });
    expect(readFileSync(join(base, 'back/there/c'), 'utf8')).toBe('c');
  });

  test('a file is not copied to a folder that does not exist', async () => {
    writeFileSync(join(there, 'file'), 'x');
    await expect(download(channel, join(there, 'file'), join(here, 'absent/'))).rejects.toMatchObject({
      code: 'not-found',
      message: `there is no folder ${join(here, 'absent')}/`,
    });
    expect(readdirSync(here)).toEqual([]);
    mkdirSync(join(there, 'tree'));
    writeFileSync(join(here, 'tree'), 'a file');
    await expect(download(channel, join(there, 'tree'), join(here, 'tree'))).rejects.toMatchObject({
      code: 'usage',
    });
    expect(readFileSync(join(here, 'tree'), 'utf8')).toBe('a file');
  });

  test('a pipe is written to as it is', async () => {
    const content = randomBytes(300_000);
    writeFileSync(join(there, 'file'), content);
    execFileSync('mkfifo', [join(here, 'pipe')]);
    const reading = readFile(join(here, 'pipe'));
    await download(channel, join(there, 'file'), join(here, 'pipe'));
    expect((await reading).equals(content)).toBe(true);
    expect(lstatSync(join(here, 'pipe')).isFIFO()).toBe(true);
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

describeWith([program('sshd'), mountRights], 'a full disk on this machine', () => {
  test('fails the copy, and leaves the file as it was', async () => {
    const sshd = await startSshd();
    const folder = mkdtempSync(join(tmpdir(), 'mngr-full-'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=128k', 'none', folder]);
    try {
      const channel = await connect({
        host: sshd.host,
        port: sshd.port,
        user: sshd.user,
        privateKey: sshd.clientKey.privateKey,
        hostKey: { type: 'proof', nonce: sshd.nonce },
      });
      writeFileSync(join(folder, 'file'), 'before');
      const source = join(tmpdir(), `mngr-full-source-${process.pid}`);
      writeFileSync(source, randomBytes(200_000));
      await expect(download(channel, source, join(folder, 'file'))).rejects.toMatchObject({
        code: 'failed',
        message: expect.stringContaining('no space left'),
      });
      expect(readdirSync(folder)).toEqual(['file']);
      expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('before');
      rmSync(source);
      channel.close();
    } finally {
      execFileSync('umount', [folder]);
      rmSync(folder, { recursive: true });
      await sshd.stop();
    }
  });
});
