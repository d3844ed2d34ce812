import { randomBytes } from 'node:crypto';
import { answerOf } from './handshake';
import type { ClientAction, ProcessedAction } from './handshake';
import { PAYLOAD } from './message';
import type { PluginSession } from './plugin';
import { SessionFailure } from './plugin';
import { SessionCipher } from './session-cipher';

/** Bytes. */
const KEY_CHALLENGE = 16;
const CIPHER_CHALLENGE = 64;

export type EncryptionContext = Readonly<Record<string, string>>;

/** The key that a session is encrypted with, as the agent uses it. */
export interface SessionKey {
  /** As the cluster's configuration names it. */
  readonly keyId: string;
  readonly context: EncryptionContext;
  /** Decrypts a data key with the task's role. Rejects with KMS's error. */
  decrypt(ciphertext: Buffer, context: EncryptionContext): Promise<Buffer>;
}

/** One session's agreement on a key. */
export class KeyAgreement {
  private readonly challenge = randomBytes(KEY_CHALLENGE).toString('base64');

  constructor(private readonly key: SessionKey) {}

  /** What the client is asked in the handshake. */
  get action(): ClientAction {
    const { keyId } = this.key;
    return { ActionType: 'KMSEncryption', ActionParameters: { KMSKeyId: keyId, Challenge: this.challenge } };
  }

  /** Takes the client's data key, and makes the client prove that it has the key too. Throws SessionFailure. */
  async agree(session: PluginSession, actions: readonly ProcessedAction[]): Promise<SessionCipher> {
    const cipher = new SessionCipher(await this.dataKey(actions));
    const secret = randomBytes(CIPHER_CHALLENGE);
    const answer = answerOf(session, PAYLOAD.challengeResponse);
    const request = { Challenge: cipher.encrypt(secret).toString('base64') };
    await session.channel.send(PAYLOAD.challengeRequest, Buffer.from(JSON.stringify(request)));
    const { Challenge: returned = '' } = (await answer) as { readonly Challenge?: string };
    if (!proves(cipher, returned, secret)) throw new SessionFailure('Encryption challenge does not match');
    return cipher;
  }

  private async dataKey(actions: readonly ProcessedAction[]): Promise<Buffer> {
    const { ActionResult: result } = actions.find(({ ActionType }) => ActionType === 'KMSEncryption') ?? {};
    const { KMSCipherTextKey: ciphertext = '', ChallengeAcknowledgement: acknowledged } = (result ?? {}) as {
      readonly KMSCipherTextKey?: string;
      readonly ChallengeAcknowledgement?: boolean;
    };
    const challenge: EncryptionContext = acknowledged === true ? { 'aws:ssm:RandomChallenge': this.challenge } : {};
    const context = { ...this.key.context, ...challenge };
    let key: Buffer;
    try {
      key = await this.key.decrypt(Buffer.from(ciphertext, 'base64'), context);
    } catch (error) {
      throw new SessionFailure(`Fetching data key failed: Unable to retrieve data key, ${(error as Error).message}`);
    }
    if (key.length !== SessionCipher.dataKeyLength) throw new SessionFailure('The data key has a wrong length.');
    return key;
  }
}

function proves(cipher: SessionCipher, returned: string, secret: Buffer): boolean {
  try {
    return cipher.decrypt(Buffer.from(returned, 'base64')).equals(secret);
  } catch {
    return false;
  }
}
