import { createCipheriv, createDecipheriv, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { writePrivateFile } from '../../util/atomic-file';

const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
const MASTER_BYTES = 32;
/** Characters that an operator's own secret must have. */
const MIN_GIVEN = 32;

/** Which session an engine's token is for. */
export interface TokenSubject {
  readonly tenant: string;
  readonly id: string;
  readonly generation: string;
}

/** What is derived from the service's one secret, so that nothing secret has to be stored. */
export class ServiceSecrets {
  private readonly tokens: Buffer;
  private readonly sealing: Buffer;
  private readonly links: Buffer;

  constructor(master: Buffer) {
    const derive = (purpose: string): Buffer =>
      Buffer.from(hkdfSync('sha256', master, 'mngr-fargate sandbox', purpose, 32));
    this.tokens = derive('engine token');
    this.sealing = derive('pending commands');
    this.links = derive('signed links');
  }

  /** The token of the engine in a session's host. */
  engineToken({ tenant, id, generation }: TokenSubject): string {
    return createHmac('sha256', this.tokens)
      .update(JSON.stringify([tenant, id, generation]))
      .digest('hex');
  }

  /** Encrypts what a command needs until it has ended. Only the same `context` opens it again. */
  seal(context: string, value: unknown): Buffer {
    const nonce = randomBytes(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.sealing, nonce).setAAD(Buffer.from(context));
    const text = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
    return Buffer.concat([nonce, cipher.getAuthTag(), text]);
  }

  /** Throws if it was sealed by another service, for another context, or has been changed. */
  unseal(context: string, sealed: Buffer): unknown {
    const decipher = createDecipheriv(CIPHER, this.sealing, sealed.subarray(0, NONCE_BYTES))
      .setAAD(Buffer.from(context))
      .setAuthTag(sealed.subarray(NONCE_BYTES, NONCE_BYTES + TAG_BYTES));
    const text = Buffer.concat([decipher.update(sealed.subarray(NONCE_BYTES + TAG_BYTES)), decipher.final()]);
    return JSON.parse(text.toString('utf8'));
  }

  sign(text: string): string {
    return createHmac('sha256', this.links).update(text).digest('base64url');
  }

  verify(text: string, signature: string): boolean {
    const wanted = Buffer.from(this.sign(text));
    const given = Buffer.from(signature);
    return given.length === wanted.length && timingSafeEqual(given, wanted);
  }
}

/**
 * The service's secret: what the operator gives, else what is in the file `secret` of the data directory, which is made (0600)
 * where there is none. Whoever loses it loses the connections to running sandboxes, and nothing else.
 */
export async function loadServiceSecrets(dataDirectory: string, given?: string): Promise<ServiceSecrets> {
  if (given !== undefined) {
    if (given.length < MIN_GIVEN)
      throw new MngrFargateError('usage', `SANDBOX_MASTER_SECRET has ${given.length} characters`, {
        hint: `give at least ${MIN_GIVEN}, for example the output of "openssl rand -hex 32"`,
      });
    return new ServiceSecrets(Buffer.from(given, 'utf8'));
  }
  const file = join(dataDirectory, 'secret');
  const known = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined;
    throw new MngrFargateError('failed', `${file} can't be read: ${error.message}`, { cause: error });
  });
  if (known === undefined) {
    const fresh = randomBytes(MASTER_BYTES);
    await writePrivateFile(file, `${fresh.toString('hex')}\n`);
    return new ServiceSecrets(fresh);
  }
  const master = Buffer.from(known.trim(), 'hex');
  if (master.length === MASTER_BYTES) return new ServiceSecrets(master);
  throw new MngrFargateError('failed', `${file} does not contain the service's secret (64 hexadecimal digits)`, {
    hint: 'restore it; or remove it, which loses the connections to sandboxes that run now',
  });
}
