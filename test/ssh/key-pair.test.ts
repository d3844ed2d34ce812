import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { utils } from 'ssh2';
import type { ParsedKey } from 'ssh2';
import { generateKeyPair } from '../../lib/ssh';
import { writePrivateFile } from '../../lib/util/atomic-file';
import { describeWith, program } from '../support/run/requirements';

describe('generateKeyPair', () => {
  test('makes no key that ssh2 cannot use, also not those that begin with zero bytes', () => {
    for (let index = 0; index < 1000; index++) {
      const pair = generateKeyPair('host-0');
      const privateKey = utils.parseKey(pair.privateKey) as ParsedKey;
      const publicKey = utils.parseKey(pair.publicKey) as ParsedKey;
      expect(privateKey).not.toBeInstanceOf(Error);
      expect(publicKey).not.toBeInstanceOf(Error);
      expect(publicKey.verify(Buffer.from('text'), privateKey.sign(Buffer.from('text')))).toBe(true);
    }
  });

  test('makes a new key each time', () => {
    expect(generateKeyPair('a').publicKey).not.toBe(generateKeyPair('a').publicKey);
  });
});

describeWith(program('ssh-keygen'), 'generateKeyPair and ssh-keygen', () => {
  test.each(['', 'host-1', 'with a space, ünïcode'])('agree on the public key (comment %j)', async (comment) => {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-keys-'));
    try {
      const pair = generateKeyPair(comment);
      const file = join(folder, 'id');
      await writePrivateFile(file, pair.privateKey);
      const derived = execFileSync('ssh-keygen', ['-y', '-f', file]).toString().trim();
      expect(derived).toBe(pair.publicKey.trim());
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
