import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { newHostId } from '../../../lib/contract/host-name';
import { KeyStore } from '../../../lib/hosts/remote/key-store';
import { generateKeyPair } from '../../../lib/ssh';

describe('the folders of keys', () => {
  let folder: string;
  let hosts: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-keys-'));
    hosts = join(folder, 'hosts');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  const hostId = newHostId();
  const keys = generateKeyPair(hostId);
  const store = async (): Promise<KeyStore> => {
    const made = new KeyStore(folder);
    const record = { hostId, name: 'fox', provider: 'fargate', taskArn: null, nonce: null, setup: null };
    await made.create({ ...record, createdAt: new Date().toISOString() }, keys);
    return made;
  };

  test('are refused where others may write to them, for a new key', async () => {
    mkdirSync(hosts);
    chmodSync(hosts, 0o777);
    await expect(store()).rejects.toMatchObject({ code: 'denied', message: expect.stringContaining(hosts) as string });
  });

  test.each([
    ['the folder of all hosts', () => chmodSync(hosts, 0o775)],
    ['the folder of the host', () => chmodSync(join(hosts, hostId), 0o757)],
    [
      'a link to a folder elsewhere',
      () => {
        renameSync(join(hosts, hostId), join(folder, 'elsewhere'));
        symlinkSync(join(folder, 'elsewhere'), join(hosts, hostId));
      },
    ],
  ])('are refused where others may write to them, for a key that is there: %s', async (_, change) => {
    const made = await store();
    await expect(made.privateKey(hostId)).resolves.toBe(keys.privateKey);
    change();
    await expect(made.privateKey(hostId)).rejects.toMatchObject({ code: 'denied' });
  });
});
