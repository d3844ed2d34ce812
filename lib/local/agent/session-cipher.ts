import { createCipheriv, createDecipheriv, randomBytes } from 'node:crypto';

const ALGORITHM = 'aes-256-gcm';
/** Bytes. */
const KEY_LENGTH = 32;
const NONCE_LENGTH = 12;
const TAG_LENGTH = 16;

/** A payload was not encrypted with the session's key. */
export class DecryptionError extends Error {
  override readonly name = 'DecryptionError';
}

/** The agent's side of a session's encryption: nonce, ciphertext and tag, with a key for each direction. */
export class SessionCipher {
  /** Bytes of the data key that both sides share: the agent's key, then the client's. */
  static readonly dataKeyLength = 2 * KEY_LENGTH;
  private readonly agentKey: Buffer;
  private readonly clientKey: Buffer;

  constructor(dataKey: Buffer) {
    this.agentKey = dataKey.subarray(0, KEY_LENGTH);
    this.clientKey = dataKey.subarray(KEY_LENGTH, 2 * KEY_LENGTH);
  }

  encrypt(payload: Buffer): Buffer {
    const nonce = randomBytes(NONCE_LENGTH);
    const cipher = createCipheriv(ALGORITHM, this.agentKey, nonce);
    return Buffer.concat([nonce, cipher.update(payload), cipher.final(), cipher.getAuthTag()]);
  }

  /** Throws DecryptionError. */
  decrypt(payload: Buffer): Buffer {
    if (payload.length < NONCE_LENGTH + TAG_LENGTH) throw new DecryptionError('the payload is too short');
    const decipher = createDecipheriv(ALGORITHM, this.clientKey, payload.subarray(0, NONCE_LENGTH));
    decipher.setAuthTag(payload.subarray(-TAG_LENGTH));
    try {
      return Buffer.concat([decipher.update(payload.subarray(NONCE_LENGTH, -TAG_LENGTH)), decipher.final()]);
    } catch {
      throw new DecryptionError("the payload is not encrypted with the session's key");
    }
  }
}
