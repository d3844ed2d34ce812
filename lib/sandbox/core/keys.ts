import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { SandboxError } from '../model/errors';
import type { Caller, Key } from '../model/types';
import type { Store, StoredKey } from '../store';

export const DEFAULT_TENANT = 'default';
/** The key that the operator gives in SANDBOX_SECRET, which is in no store. */
const GIVEN_KEY = { id: 'environment', name: 'SANDBOX_SECRET' } as const;
const PREFIX = 'sbx_';
const NAME = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
/** How long another replica may take to hear of a revoked key, in milliseconds. */
const FRESH_MS = 2_000;
/** How exact the time of a key's last use is. */
const LAST_USED_MS = 60_000;
const MAX_SECRET = 512;
const MAX_RATE = 100_000;

export interface KeyRequest {
  readonly name: string;
  readonly tenant?: string;
  readonly admin?: boolean;
  readonly rate?: number;
}

interface Candidate {
  readonly hash: Buffer;
  readonly caller: Caller;
  readonly rate: number | null;
}

/** Who may call: the stored keys, and the operator's own. Secrets are compared as SHA-256 hashes, in constant time. */
export class Keys {
  private candidates: readonly Candidate[] = [];
  private readAt = -Infinity;
  private readonly lastUsed = new Map<string, number>();
  private readonly rates = new Map<string, number | null>();

  constructor(
    private readonly store: Store,
    private readonly given: string | undefined,
    private readonly now: () => number = Date.now,
  ) {}

  async authenticate(secret: string): Promise<Caller | undefined> {
    if (secret === '' || secret.length > MAX_SECRET) return undefined;
    if (performance.now() - this.readAt > FRESH_MS) await this.read();
    const hash = hashOf(secret);
    let found: Candidate | undefined;
    // Every one is compared, so that the time says nothing about which it was.
    for (const candidate of this.candidates) if (timingSafeEqual(candidate.hash, hash)) found ??= candidate;
    if (found === undefined) return undefined;
    this.noteUse(found.caller.keyId);
    return found.caller;
  }

  /** Calls a second that a key may make; undefined: the service's default. */
  rateOf(keyId: string): number | undefined {
    return this.rates.get(keyId) ?? undefined;
  }

  /** Without a tenant, a key has one of its own, so that keys share sessions only if somebody says so; admins have the operator's. */
  async create({ name, admin = false, tenant = admin ? DEFAULT_TENANT : name, rate }: KeyRequest) {
    const refuse = (message: string, field: string) => new SandboxError('bad_request', message, { field });
    if (!NAME.test(name) || name === GIVEN_KEY.name)
      throw refuse(
        'name must be 1 to 64 letters, digits, ".", "_", "@" and "-", and start with a letter or digit',
        'name',
      );
    if (!NAME.test(tenant)) throw refuse('tenant must be 1 to 64 letters, digits, ".", "_", "@" and "-"', 'tenant');
    if (rate !== undefined && !(rate > 0 && rate <= MAX_RATE))
      throw refuse(`rate must be more than 0 and at most ${MAX_RATE} calls a second, not ${rate}`, 'rate');
    const secret = `${PREFIX}${randomBytes(32).toString('base64url')}`;
    const key: Key = {
      ...{ id: `key-${randomBytes(8).toString('hex')}`, name, tenant, admin, rate: rate ?? null },
      ...{ createdAt: this.now(), lastUsedAt: null, revokedAt: null },
    };
    if (!(await this.store.putKey({ ...key, hash: hashOf(secret) })))
      throw new SandboxError('key_exists', `key ${name} already exists`, { field: 'name' });
    await this.read();
    return { key, secret };
  }

  async list(): Promise<readonly Key[]> {
    return (await this.store.keys()).map(withoutHash);
  }

  async revoke(nameOrId: string): Promise<Key> {
    const revoked = await this.store.revokeKey(nameOrId, this.now());
    await this.read();
    if (revoked !== undefined) return withoutHash(revoked);
    throw new SandboxError('key_not_found', `there is no key ${JSON.stringify(nameOrId)} that isn't revoked`);
  }

  private async read(): Promise<void> {
    const stored = (await this.store.keys()).filter(({ revokedAt }) => revokedAt === null);
    const own: Candidate[] =
      this.given === undefined
        ? []
        : [
            {
              hash: hashOf(this.given),
              caller: { tenant: DEFAULT_TENANT, keyId: GIVEN_KEY.id, keyName: GIVEN_KEY.name, admin: true },
              rate: null,
            },
          ];
    const candidates = stored.map(({ id, name, tenant, admin, rate, hash }) => ({
      hash,
      caller: { tenant, keyId: id, keyName: name, admin },
      rate,
    }));
    this.candidates = [...own, ...candidates];
    this.rates.clear();
    for (const { caller, rate } of this.candidates) this.rates.set(caller.keyId, rate);
    this.readAt = performance.now();
  }

  private noteUse(keyId: string): void {
    const now = this.now();
    if (keyId === GIVEN_KEY.id || now - (this.lastUsed.get(keyId) ?? -Infinity) < LAST_USED_MS) return;
    this.lastUsed.set(keyId, now);
    void this.store.useKey(keyId, now).catch(() => undefined);
  }
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const withoutHash = ({ hash: _, ...key }: StoredKey): Key => key;
