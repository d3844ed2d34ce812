import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { Keys } from '../../../lib/sandbox/core/keys';
import { RateLimit } from '../../../lib/sandbox/core/rate';
import { loadServiceSecrets } from '../../../lib/sandbox/core/secrets';
import { SqliteStore } from '../../../lib/sandbox/store';
import { frameOf, piecesFrom, piecesOf, streamsOf } from '../../../lib/sandbox/store/frames';

const folder = mkdtempSync(join(tmpdir(), 'mngr-sandbox-parts-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the service’s secrets', () => {
  it('come from one file that is its owner’s alone, and are the same after a restart', async () => {
    const subject = { tenant: 't', id: 'i', generation: 'g' };
    const first = await loadServiceSecrets(folder);
    expect(statSync(join(folder, 'secret')).mode & 0o777).toBe(0o600);
    const second = await loadServiceSecrets(folder);
    expect(second.engineToken(subject)).toBe(first.engineToken(subject));
    expect(second.engineToken({ ...subject, generation: 'h' })).not.toBe(first.engineToken(subject));
    expect(second.verify('link', first.sign('link'))).toBe(true);
    expect(second.verify('other', first.sign('link'))).toBe(false);
    expect(second.unseal('g', first.seal('g', { a: ['ü'] }))).toEqual({ a: ['ü'] });
  });

  it('open nothing that was sealed for another session, by another service, or changed', async () => {
    const secrets = await loadServiceSecrets(folder);
    const other = await loadServiceSecrets(folder, 'another secret of thirty-two characters');
    const sealed = secrets.seal('g', 'x');
    expect(() => secrets.unseal('h', sealed)).toThrow();
    expect(() => other.unseal('g', sealed)).toThrow();
    fc.assert(
      fc.property(fc.nat(sealed.length - 1), fc.integer({ min: 1, max: 255 }), (at, change) => {
        const changed = Buffer.from(sealed);
        changed[at] = (changed[at] as number) ^ change;
        expect(() => secrets.unseal('g', changed)).toThrow();
      }),
    );
  });

  it('say what is wrong with a short secret and a damaged file', async () => {
    await expect(loadServiceSecrets(folder, 'short')).rejects.toThrow('SANDBOX_MASTER_SECRET has 5 characters');
    const damaged = mkdtempSync(join(folder, 'damaged-'));
    writeFileSync(join(damaged, 'secret'), 'nonsense');
    await expect(loadServiceSecrets(damaged)).rejects.toThrow("does not contain the service's secret");
  });
});

describe('keys', () => {
  it('are shown once, found by their secret, scoped, and gone once revoked; the file has their hashes alone', async () => {
    const file = join(folder, 'keys', 'sandbox.db');
    const store = await SqliteStore.open({ file });
    const keys = new Keys(store, 'given');
    const { key, secret } = await keys.create({ name: 'ci', tenant: 'team', rate: 2 });
    expect(secret).toMatch(/^sbx_[\w-]{43}$/);
    expect(await keys.authenticate(secret)).toEqual({ tenant: 'team', keyId: key.id, keyName: 'ci', admin: false });
    expect(await keys.authenticate('given')).toMatchObject({
      tenant: 'default',
      admin: true,
      keyName: 'SANDBOX_SECRET',
    });
    for (const wrong of ['', 'x', `${secret}x`, secret.slice(0, -1), 'g'.repeat(10_000)])
      expect(await keys.authenticate(wrong)).toBeUndefined();
    expect(keys.rateOf(key.id)).toBe(2);
    await expect(keys.create({ name: 'ci' })).rejects.toMatchObject({ code: 'key_exists' });
    await expect(keys.create({ name: 'a b' })).rejects.toMatchObject({ code: 'bad_request', field: 'name' });
    await expect(keys.create({ name: 'x', rate: 0 })).rejects.toMatchObject({ code: 'bad_request', field: 'rate' });
    expect(JSON.stringify(await keys.list())).not.toContain('hash');
    expect(await keys.revoke('ci')).toMatchObject({ id: key.id });
    expect(await keys.authenticate(secret)).toBeUndefined();
    await expect(keys.revoke('ci')).rejects.toMatchObject({ code: 'key_not_found' });
    await store.close();
    expect(readFileSync(file, 'latin1')).not.toContain(secret);
  });
});

describe('the rate of a key', () => {
  it('lets a second’s worth through at once, and then as many as the rate says', () => {
    let now = 0;
    const limit = new RateLimit(() => now);
    const taken = (calls: number): number =>
      Array.from({ length: calls }, () => limit.take('a', 5)).filter((wait) => wait === 0).length;
    expect(taken(20)).toBe(5);
    expect(limit.take('a', 5)).toBeCloseTo(0.2);
    expect(limit.take('b', 5)).toBe(0);
    now = 1_000;
    expect(taken(20)).toBe(5);
    now = 100_000;
    expect(taken(20)).toBe(5);
    expect([limit.take('slow', 0.5), limit.take('slow', 0.5)]).toEqual([0, 2]);
  });
});

describe('the log of a command', () => {
  const piece = fc.oneof(
    fc.record({
      type: fc.constantFrom('stdout' as const, 'stderr' as const),
      bytes: fc.uint8Array({ minLength: 1, maxLength: 20 }),
    }),
    fc.record({ type: fc.constant('gap' as const), length: fc.integer({ min: 1, max: 1000 }) }),
  );
  const pieces = fc.array(piece, { maxLength: 20 }).map((all) => {
    let offset = 0;
    return all.map((one) => {
      const at = offset;
      offset += one.type === 'gap' ? one.length : one.bytes.length;
      return one.type === 'gap' ? { ...one, offset: at } : { ...one, bytes: Buffer.from(one.bytes), offset: at };
    });
  });

  it('gives back its pieces, also from any offset on, and survives being cut', () => {
    fc.assert(
      fc.property(pieces, fc.nat(200), fc.nat(500), (all, from, cut) => {
        const log = Buffer.concat(all.map(frameOf));
        expect([...piecesOf(log)]).toEqual(all);
        const end = all.reduce((sum, one) => sum + (one.type === 'gap' ? one.length : one.bytes.length), 0);
        const rest = [...piecesFrom(piecesOf(log), from)];
        const length = rest.reduce((sum, one) => sum + (one.type === 'gap' ? one.length : one.bytes.length), 0);
        expect(length).toBe(Math.max(0, end - from));
        if (rest[0] !== undefined) expect(rest[0].offset).toBe(from);
        const whole = [...piecesOf(log.subarray(0, cut))];
        expect(whole).toEqual(all.slice(0, whole.length));
        const { stdout, stderr, dropped } = streamsOf(log);
        expect(stdout.length + stderr.length + dropped).toBe(end);
      }),
    );
  });
});
