import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensurePrivateFolder } from '../../lib/util/private-folder';

describe('a private folder', () => {
  let parent: string;

  beforeEach(() => {
    parent = mkdtempSync(join(tmpdir(), 'mngr-private-'));
  });

  afterEach(() => rmSync(parent, { recursive: true }));

  const folder = (): string => join(parent, 'folder');

  it('is made for its owner alone', () => {
    ensurePrivateFolder(join(folder(), 'below'), 'keys');
    expect(statSync(join(folder(), 'below')).mode & 0o777).toBe(0o700);
    expect(() => ensurePrivateFolder(folder(), 'keys')).not.toThrow();
  });

  it.each([0o770, 0o720, 0o702, 0o777])('is refused with mode %o, and the error says what to run', (mode) => {
    mkdirSync(folder());
    chmodSync(folder(), mode);
    expect(() => ensurePrivateFolder(folder(), 'keys')).toThrow(
      expect.objectContaining({ code: 'denied', hint: `run: chmod go-w ${folder()}` }),
    );
  });

  it('is refused when it is a symbolic link or a file', () => {
    symlinkSync(tmpdir(), folder());
    expect(() => ensurePrivateFolder(folder(), 'keys')).toThrow(/symbolic link/);
    writeFileSync(join(parent, 'file'), '');
    expect(() => ensurePrivateFolder(join(parent, 'file'), 'keys')).toThrow();
  });

  if (process.getuid?.() === 0) {
    it('is refused when another user owns it', () => {
      mkdirSync(folder(), { mode: 0o700 });
      chownSync(folder(), 65_534, 65_534);
      expect(() => ensurePrivateFolder(folder(), 'keys')).toThrow(/belongs to user 65534/);
    });
  }
});
