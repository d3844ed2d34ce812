import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
/** Bytes. */
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** Encrypts and decrypts payloads with the two halves of a data key. */
export class Encryption {
  private readonly receiving: Buffer;
  private readonly sending: Buffer;

  /** The key is 64 bytes: 32 for what the agent sends, then 32 for what the client sends. */
  constructor(dataKey: Uint8Array) {
    if (dataKey.length !== 2 * KEY_LENGTH) throw new Error(`a data key of ${dataKey.length} bytes instead of 64`);
    this.receiving = Buffer.from(dataKey.subarray(0, KEY_LENGTH));
    this.sending = Buffer.from(dataKey.subarray(KEY_LENGTH));
  }

  encrypt(plain: Buffer): Buffer {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv(ALGORITHM, this.sending, nonce);
    return Buffer.concat([nonce, cipher.update(plain), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws for what the agent's key has not encrypted. */
  decrypt(sealed: Buffer): Buffer {
    if (sealed.length < NONCE_LENGTH + TAG_LENGTH) throw new Error('an encrypted payload is too short');
    const decipher = createDecipheriv(ALGORITHM, this.receiving, sealed.subarray(0, NONCE_LENGTH), {
      authTagLength: TAG_LENGTH,
    });
    decipher.setAuthTag(sealed.subarray(-TAG_LENGTH));
    return Buffer.concat([decipher.update(sealed.subarray(NONCE_LENGTH, -TAG_LENGTH)), decipher.final()]);
  }
}
