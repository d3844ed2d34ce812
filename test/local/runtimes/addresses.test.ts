import { mkdtempSync, rmSync, statSync } from 'node:fs';
import type { Server } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AddressPoolOptions } from '../../../lib/local/runtimes/addresses';
import { AddressPool } from '../../../lib/local/runtimes/addresses';
import { withSmallAddressPool } from '../../support/run/machine-lock';

describe('the pool of task addresses', () => {
  let folder: string;
  const servers: Server[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'mngr-fargate-addresses-'));
  });

  afterEach(async () => {
    await Promise.all(servers.splice(0).map((server) => new Promise((closed) => server.close(closed))));
    rmSync(folder, { recursive: true });
  });

  const pool = (options: Partial<AddressPoolOptions> = {}): AddressPool =>
    new AddressPool({ file: join(folder, 'addresses.json'), endpointId: 'test', ...options });

  const listen = (host: string, port: number): Promise<void> =>
    new Promise((listening, failed) => {
      const server = createServer().once('error', failed).listen({ host, port, exclusive: true }, listening);
      servers.push(server);
    });

  it('gives concurrent tasks different addresses, and a task the same one again', async () => {
    const addresses = pool();
    const tasks = Array.from({ length: 300 }, (_, n) => `task-${n}`);
    const reserved = await Promise.all(tasks.map((task) => addresses.reserve(task)));
    expect(new Set(reserved.map(({ ip, port }) => `${ip}:${port}`)).size).toBe(300);
    expect(await addresses.reserve('task-7')).toEqual(reserved[7]);
    expect(reserved.map(({ ip }) => ip)).not.toContain('127.0.0.1');
  });

  it('uses an address again once all others have had their turn, and only when it was given back', () =>
    withSmallAddressPool(async () => {
      const addresses = pool({ size: 4 });
      const first = await addresses.reserve('first');
      const second = await addresses.reserve('second');
      const third = await addresses.reserve('third');
      addresses.release(second);
      addresses.release(first);
      addresses.release(first);
      const again = [await addresses.reserve('fourth'), await addresses.reserve('fifth')];
      expect(again).toEqual(expect.arrayContaining([first, second]));
      expect(again).not.toContainEqual(third);
      await expect(addresses.reserve('sixth')).rejects.toMatchObject({ code: 'no-capacity' });
    }));

  it('remembers reservations across a restart, in a file nobody else can read', async () => {
    const address = await pool().reserve('task');
    const restarted = pool();
    expect(await restarted.reserve('other')).not.toEqual(address);
    expect(await restarted.reserve('task')).toEqual(address);
    expect(statSync(join(folder, 'addresses.json')).mode & 0o777).toBe(0o600);
  });

  it('passes over addresses whose port is in use by somebody else', async () => {
    const taken = await pool().reserve('task');
    await listen(taken.ip, taken.port);
    rmSync(join(folder, 'addresses.json'));
    expect((await pool().reserve('task')).ip).not.toBe(taken.ip);
  });

  it('tells tasks apart by the port where only 127.0.0.1 exists', async () => {
    const addresses = pool({ ownAddresses: false });
    const reserved = await Promise.all(['a', 'b', 'c'].map((task) => addresses.reserve(task)));
    expect(reserved.map(({ ip }) => ip)).toEqual(['127.0.0.1', '127.0.0.1', '127.0.0.1']);
    expect(new Set(reserved.map(({ port }) => port)).size).toBe(3);
    await Promise.all(reserved.map(({ ip, port }) => listen(ip, port)));
  });
});
