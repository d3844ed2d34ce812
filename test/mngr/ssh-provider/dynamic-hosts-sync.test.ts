import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MngrFargateError } from '../../../lib/contract/errors';
import { newHostId } from '../../../lib/contract/host-name';
import type { Host } from '../../../lib/hosts/model/types';
import { syncDynamicHosts } from '../../../lib/mngr/ssh-provider/dynamic-hosts-sync';
import type { SyncRequest, SyncResult } from '../../../lib/mngr/ssh-provider/dynamic-hosts-sync';
import { sshProviderHostId } from '../../../lib/mngr/ssh-provider/dynamic-hosts';
import { pinHostKey } from '../../../lib/ssh';
import { withFileLock } from '../../../lib/util/file-lock';
import { describeWith, program } from '../../support/run/requirements';
import { startSshd } from '../../support/host/sshd';
import type { TestSshd } from '../../support/host/sshd';

/** What the sync looks at of a host. */
type Seen = Pick<Host, 'name' | 'hostId' | 'ready' | 'address' | 'createdAt' | 'identityFile' | 'knownHostsFile'>;

describeWith([program('sshd'), program('jq'), program('flock')], 'the hosts that a sync lets in', () => {
  let folder: string;
  let file: string;
  const servers: TestSshd[] = [];
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-sync-'));
    file = join(folder, 'providers', 'fargate', 'dynamic_hosts.toml');
  });
  afterEach(async () => {
    for (const server of servers.splice(0)) await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const keyDirectory = (): string => join(folder, 'keys');
  const syncWith = (listHosts: SyncRequest['listHosts']): Promise<SyncResult> =>
    syncDynamicHosts({ file, sshProvider: 'fargate', keyDirectory: keyDirectory(), listHosts });
  const sync = (hosts: readonly Seen[] | Error): Promise<SyncResult> =>
    syncWith(() => (hosts instanceof Error ? Promise.reject(hosts) : Promise.resolve(hosts as readonly Host[])));
  const names = ({ hosts }: SyncResult): string[] => hosts.map(({ name }) => name);
  const written = (): string => readFileSync(file, 'utf8');

  /** A host whose sshd is real, with a host directory of its own. */
  async function host(name: string): Promise<Seen & { readonly sshd: TestSshd; readonly data: string }> {
    const hostId = newHostId();
    const directory = join(folder, name);
    mkdirSync(directory);
    const data = join(directory, 'data.json');
    writeFileSync(data, JSON.stringify({ host_id: hostId, host_name: 'first', idle_timeout_seconds: 60 }));
    const sshd = await startSshd({ environment: { MNGR_HOST_DIR: directory } });
    servers.push(sshd);
    const keys = join(keyDirectory(), 'hosts', hostId);
    const [identityFile, knownHostsFile] = [join(keys, 'id_ed25519'), join(keys, 'known_hosts')];
    mkdirSync(keys, { recursive: true });
    writeFileSync(identityFile, sshd.clientKey.privateKey, { mode: 0o600 });
    await pinHostKey(knownHostsFile, sshd.host, sshd.port, sshd.hostKeyBlob);
    const { host: at, port, user } = sshd;
    const address = { host: at, port, user };
    return { name, hostId, ready: true, address, createdAt: '2026-01-01', identityFile, knownHostsFile, sshd, data };
  }

  test('a new host gets in, and its data.json says what mngr calls it', async () => {
    const fox = await host('fox');
    const result = await sync([fox]);
    const mngrHostId = sshProviderHostId('fargate', 'fox');
    expect(result).toMatchObject({
      changed: true,
      hosts: [{ name: 'fox', hostId: fox.hostId, mngrHostId }],
      leftOut: [],
    });
    expect(JSON.parse(readFileSync(fox.data, 'utf8'))).toEqual({
      host_id: mngrHostId,
      host_name: 'fox',
      idle_timeout_seconds: 60,
    });
    expect(written()).toContain(`[fox]\naddress = "127.0.0.1"\nport = ${fox.sshd.port}\n`);
  });

  test("with ssh's configuration set up, hosts get in by their ids, after one login each", async () => {
    const closed = (name: string): Host =>
      ({
        ...{ name, hostId: newHostId(), ready: true, createdAt: '2026-01-01' },
        ...{ address: { host: '192.0.2.1', port: 22, user: 'root' }, identityFile: join(keyDirectory(), name) },
        knownHostsFile: join(keyDirectory(), 'known_hosts'),
      }) as unknown as Host;
    const [fox, owl] = [closed('fox'), closed('owl')];
    const asked: string[][] = [];
    const byId = (listHosts: SyncRequest['listHosts']): Promise<SyncResult> => {
      const logIn = (...words: string[]): Promise<boolean> => {
        asked.push(words);
        return Promise.resolve(words[2] === 'fox');
      };
      return syncDynamicHosts({ file, sshProvider: 'fargate', keyDirectory: keyDirectory(), logIn, listHosts });
    };
    const list = (): Promise<Host[]> => Promise.resolve([fox, owl]);
    const first = await byId(list);
    expect(first.leftOut).toEqual([{ name: 'owl', hostId: owl.hostId, reason: 'no-answer' }]);
    expect(first.hosts).toMatchObject([{ name: 'fox', address: fox.hostId, port: 22 }]);
    expect(asked).toEqual([
      [fox.hostId, sshProviderHostId('fargate', 'fox'), 'fox'],
      [owl.hostId, sshProviderHostId('fargate', 'owl'), 'owl'],
    ]);
    asked.length = 0;
    expect(await byId(() => Promise.resolve([fox]))).toMatchObject({ changed: false, hosts: [{ name: 'fox' }] });
    // Where ECS can't be asked, those that are in stay.
    expect(names(await byId(() => Promise.reject(new Error('no network'))))).toEqual(['fox']);
    expect(asked).toEqual([]);
  });

  test('a host that is in stays without a login, and the file without a write', async () => {
    const fox = await host('fox');
    await sync([fox]);
    rmSync(fox.identityFile ?? '');
    await expect(sync([fox])).resolves.toMatchObject({ changed: false, hosts: [{ name: 'fox' }] });
  });

  test('a renamed host gets in under its new name, in data.json too', async () => {
    const fox = await host('fox');
    await sync([fox]);
    expect(names(await sync([{ ...fox, name: 'owl' }]))).toEqual(['owl']);
    expect(written()).not.toContain('[fox]');
    expect(JSON.parse(readFileSync(fox.data, 'utf8'))).toMatchObject({ host_name: 'owl' });
  });

  test('a host whose server is gone, is silent or shows another key is left out', async () => {
    const [gone, silent, other, fine] = await Promise.all(['gone', 'silent', 'other', 'fine'].map(host));
    if (!gone || !silent || !other || !fine) throw new Error('no hosts');
    await sync([gone, silent, fine]);
    await gone.sshd.stop();
    await silent.sshd.stop();
    const mute = createServer().listen(silent.sshd.port, '127.0.0.1');
    await new Promise((resolve) => mute.once('listening', resolve));
    expect((mute.address() as AddressInfo).port).toBe(silent.sshd.port);
    await pinHostKey(other.knownHostsFile ?? '', other.sshd.host, other.sshd.port, fine.sshd.hostKeyBlob);

    const result = await sync([gone, silent, other, fine]);
    mute.close();
    expect(names(result)).toEqual(['fine']);
    expect(result.leftOut).toEqual(
      [gone, silent, other].map(({ name, hostId }) => ({ name, hostId, reason: 'no-answer' })),
    );
  });

  test('hosts that mngr could not use are left out unasked, and of two with one name the younger', async () => {
    const fox = await host('fox');
    const others: Seen[] = [
      { ...fox, name: 'booting', ready: false },
      { ...fox, name: 'lost', address: null },
      { ...fox, name: 'foreign', identityFile: null, knownHostsFile: null },
      { ...fox, hostId: 'host-2', createdAt: '2026-01-02' },
    ];
    const { hosts, leftOut } = await sync([...others, fox]);
    expect(hosts).toMatchObject([{ name: 'fox', hostId: fox.hostId }]);
    expect(Object.fromEntries(leftOut.map(({ name, reason }) => [name, reason]))).toEqual({
      booting: 'not-ready',
      lost: 'not-ready',
      foreign: 'no-key',
      fox: 'name-taken',
    });
  });

  test('when AWS fails, hosts that answer stay, the others are removed, and the failure is reported', async () => {
    const [fox, owl] = await Promise.all(['fox', 'owl'].map(host));
    if (!fox || !owl) throw new Error('no hosts');
    await sync([fox, owl]);
    await owl.sshd.stop();
    const problem = new MngrFargateError('unreachable', 'no network');
    const result = await sync(problem);
    expect(result.problem).toBe(problem);
    expect(names(result)).toEqual(['fox']);
    expect(written()).not.toContain('[owl]');
  });

  test('a sync that lists hosts waits for one that has listed before it, so the newer list is written last', async () => {
    const [fox, owl] = await Promise.all(['fox', 'owl'].map(host));
    if (!fox || !owl) throw new Error('no hosts');
    const order: string[] = [];
    const listing = (step: string, ...hosts: Seen[]): SyncRequest['listHosts'] => {
      return async () => {
        order.push(step);
        return hosts as readonly Seen[] as readonly Host[];
      };
    };
    let younger: Promise<unknown> = Promise.resolve();
    const elder = syncWith(async () => {
      const hosts = await listing('elder lists', fox)();
      younger = syncWith(listing('younger lists', fox, owl));
      // Longer than a sync that does not wait takes to ask for its hosts.
      await withFileLock(join(folder, 'other'), async () => undefined);
      return hosts;
    });
    await elder.then(() => order.push('elder has ended'));
    await younger;
    expect(order).toEqual(['elder lists', 'elder has ended', 'younger lists']);
    expect(written()).toMatch(/\[fox\][^]*\[owl\]/);
  });

  test('a host from elsewhere is not overwritten', async () => {
    mkdirSync(join(file, '..'), { recursive: true });
    writeFileSync(file, '[box]\naddress = "10.0.0.1"\n');
    await expect(sync([])).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining('"box"') as string,
    });
    expect(written()).toBe('[box]\naddress = "10.0.0.1"\n');
  });
});
