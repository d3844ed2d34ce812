import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';
import type { Collection } from '../../state/store';
import { resourcesOfType } from '../../template/stack';
import type { World } from '../../world';

export interface KmsKey {
  readonly id: string;
  readonly arn: string;
  readonly description: string;
}

export type EncryptionContext = Readonly<Record<string, string>>;

const ALGORITHM = 'aes-256-gcm';
/** Bytes. */
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** The context in one form, whatever the order of its pairs. */
const canonical = (context: EncryptionContext): Buffer =>
  Buffer.from(JSON.stringify(Object.entries(context).toSorted(([a], [b]) => (a < b ? -1 : 1))));

/** The template's keys. What they encrypt can be decrypted by them alone, and only with the same context. */
export class KmsKeys {
  constructor(
    private readonly keys: ReadonlyMap<string, KmsKey>,
    /** Keys' ids by the names of their aliases. */
    private readonly aliases: ReadonlyMap<string, string>,
    private readonly material: Collection<string>,
  ) {}

  /** By id, ARN, alias or the alias's ARN. */
  find(reference: string): KmsKey | undefined {
    const name = /^arn:aws:kms:[^:]*:[^:]*:(.+)$/.exec(reference)?.[1] ?? reference;
    const id = name.startsWith('alias/') ? this.aliases.get(name) : name.replace(/^key\//, '');
    return this.keys.get(id ?? '');
  }

  encrypt({ id }: KmsKey, plaintext: Buffer, context: EncryptionContext): Buffer {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv(ALGORITHM, this.secretOf(id), nonce).setAAD(canonical(context));
    const name = Buffer.from(id);
    return Buffer.concat([
      Buffer.from([name.length]),
      name,
      nonce,
      cipher.update(plaintext),
      cipher.final(),
      cipher.getAuthTag(),
    ]);
  }

  /** The key with which a ciphertext was made; undefined if it is none of these keys. */
  keyOf(ciphertext: Buffer): KmsKey | undefined {
    return this.keys.get(ciphertext.toString('utf8', 1, 1 + (ciphertext[0] ?? 0)));
  }

  /** Undefined if the ciphertext or the context doesn't match. */
  decrypt(key: KmsKey, ciphertext: Buffer, context: EncryptionContext): Buffer | undefined {
    const sealed = ciphertext.subarray(1 + (ciphertext[0] ?? 0));
    if (sealed.length < NONCE_LENGTH + TAG_LENGTH) return undefined;
    const decipher = createDecipheriv(ALGORITHM, this.secretOf(key.id), sealed.subarray(0, NONCE_LENGTH));
    decipher.setAAD(canonical(context)).setAuthTag(sealed.subarray(-TAG_LENGTH));
    try {
      return Buffer.concat([decipher.update(sealed.subarray(NONCE_LENGTH, -TAG_LENGTH)), decipher.final()]);
    } catch {
      return undefined;
    }
  }

  /** Made at first use, and kept. */
  private secretOf(id: string): Buffer {
    const kept = this.material.get(id) ?? randomBytes(32).toString('base64');
    this.material.set(id, kept);
    return Buffer.from(kept, 'base64');
  }
}

export function kmsKeys({ stack, store, place }: World): KmsKeys {
  const keys = resourcesOfType(stack, 'AWS::KMS::Key').map(({ physicalId: id, properties }) => ({
    id,
    arn: `arn:aws:kms:${place.region}:${place.accountId}:key/${id}`,
    description: String(properties.Description ?? ''),
  }));
  const aliases = resourcesOfType(stack, 'AWS::KMS::Alias').map(({ properties }) => {
    const target = String(properties.TargetKeyId).split('/').at(-1) ?? '';
    return [String(properties.AliasName), target] as const;
  });
  return new KmsKeys(new Map(keys.map((key) => [key.id, key])), new Map(aliases), store.collection<string>('kmsKeys'));
}

/** Condition keys that an encryption context makes. */
export const encryptionContextKeys = (context: EncryptionContext): Record<string, string | string[]> => ({
  ...Object.fromEntries(Object.entries(context).map(([name, value]) => [`kms:EncryptionContext:${name}`, value])),
  'kms:EncryptionContextKeys': Object.keys(context),
});
