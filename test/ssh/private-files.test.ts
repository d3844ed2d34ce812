import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pinnedHostKeys, writePrivateFile } from '../../lib/ssh';
import { describeWith } from '../support/run/requirements';
import { smallFileSystem, withSmallFileSystem } from '../support/host/hosts-disk';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

describe('writePrivateFile', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-private-'));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('makes a file and folders for the owner alone, whatever the umask', async () => {
    const file = join(folder, 'fargate/hosts/host-1/id_ed25519');
    const umask = process.umask(0);
    try {
      await writePrivateFile(file, 'key');
    } finally {
      process.umask(umask);
    }
    expect(modeOf(file)).toBe('600');
    expect(modeOf(join(folder, 'fargate/hosts/host-1'))).toBe('700');
    expect(modeOf(join(folder, 'fargate'))).toBe('700');
  });

  test('replaces a file of wider mode by a private one', async () => {
    const file = join(folder, 'id');
    writeFileSync(file, 'old', { mode: 0o644 });
    await writePrivateFile(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(modeOf(file)).toBe('600');
    expect(readdirSync(folder)).toEqual(['id']);
  });

  test('says which path cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(writePrivateFile(join(folder, 'file/below'), 'x')).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(join(folder, 'file')),
    });
  });
});

describeWith(smallFileSystem, 'writePrivateFile on a full disk', () => {
  test('keeps the old file whole, leaves no half one, and says what to do', async () => {
    await withSmallFileSystem(async (disk) => {
      mkdirSync(join(disk, 'keys'));
      const file = join(disk, 'keys/id');
      await writePrivateFile(file, 'old');
      execFileSync('sh', ['-c', 'cat /dev/zero > "$1/filler" || true', 'sh', disk], { stdio: 'ignore' });
      await expect(writePrivateFile(file, 'n'.repeat(10_000))).rejects.toMatchObject({
        code: 'failed',
        message: expect.stringContaining('no space left'),
        hint: expect.stringContaining('disk space'),
      });
      expect(readFileSync(file, 'utf8')).toBe('old');
      expect(readdirSync(join(disk, 'keys'))).toEqual(['id']);
    });
  });
});

describe('pinnedHostKeys', () => {
  const key = Buffer.from('key').toString('base64');

  test.each([
    ['192.0.2.1', 22, `192.0.2.1 ssh-ed25519 ${key}`],
    ['192.0.2.1', 2222, `[192.0.2.1]:2222 ssh-ed25519 ${key}`],
    ['2001:db8::1', 22, `2001:db8::1 ssh-ed25519 ${key} comment`],
    ['192.0.2.1', 22, `other,192.0.2.1 ssh-ed25519 ${key}`],
  ])('finds the key of %s port %i', (host, port, line) => {
    expect(pinnedHostKeys(`# comment\n\n${line}\n`, host, port)).toEqual([Buffer.from('key')]);
  });

  test.each([
    ['another port', `[192.0.2.1]:2222 ssh-ed25519 ${key}`],
    ['another host', `192.0.2.2 ssh-ed25519 ${key}`],
    ['a revoked key', `@revoked 192.0.2.1 ssh-ed25519 ${key}`],
    ['a comment', `# 192.0.2.1 ssh-ed25519 ${key}`],
    ['half a line', '192.0.2.1 ssh-ed25519'],
  ])('takes %s for no key of it', (_, line) => {
    expect(pinnedHostKeys(line, '192.0.2.1', 22)).toEqual([]);
  });
});
