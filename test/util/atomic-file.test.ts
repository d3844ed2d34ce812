import { execFileSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeFileAtomically, writePrivateFile, writePrivateFileSync } from '../../lib/util/atomic-file';
import { describeWith } from '../support/run/requirements';
import { smallFileSystem, withSmallFileSystem } from '../support/host/hosts-disk';

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8);

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'mngr-files-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe.each([
  ['writePrivateFile', writePrivateFile],
  ['writePrivateFileSync', async (path: string, content: string) => writePrivateFileSync(path, content)],
])('%s', (_, write) => {
  test('makes a file and folders for the owner only, with any umask', async () => {
    const file = join(folder, 'fargate/hosts/host-1/id_ed25519');
    const umask = process.umask(0);
    try {
      await write(file, 'key');
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
    await write(file, 'new');
    expect(readFileSync(file, 'utf8')).toBe('new');
    expect(modeOf(file)).toBe('600');
    expect(readdirSync(folder)).toEqual(['id']);
  });

  test('says which path cannot be written', async () => {
    writeFileSync(join(folder, 'file'), '');
    await expect(write(join(folder, 'file/below'), 'x')).rejects.toMatchObject({
      code: 'failed',
      message: expect.stringContaining(join(folder, 'file')),
    });
  });
});

describe('writeFileAtomically', () => {
  test('keeps the mode of a file, and the link that leads to it', async () => {
    writeFileSync(join(folder, 'real'), 'old', { mode: 0o640 });
    symlinkSync('real', join(folder, 'link'));
    await writeFileAtomically(join(folder, 'link'), 'new');
    expect(readFileSync(join(folder, 'real'), 'utf8')).toBe('new');
    expect(modeOf(join(folder, 'real'))).toBe('640');
    expect(lstatSync(join(folder, 'link')).isSymbolicLink()).toBe(true);
    expect(readdirSync(folder).sort()).toEqual(['link', 'real']);
  });

  test('makes a new file and its folders for the owner alone', async () => {
    await writeFileAtomically(join(folder, 'profiles/one/settings.toml'), 'new');
    expect(modeOf(join(folder, 'profiles/one/settings.toml'))).toBe('600');
    expect(modeOf(join(folder, 'profiles'))).toBe('700');
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
