import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** An Ed25519 key pair in OpenSSH's formats. */
export interface KeyPair {
  /** OpenSSH private key, PEM, not encrypted. */
  readonly privateKey: string;
  /** The line of a `.pub` file, without its line break. */
  readonly publicKey: string;
}

const KEY_TYPE = 'ssh-ed25519';
/** Characters. */
const PEM_LINE = 70;
/** In an unencrypted key file the private section is padded to the "none" cipher's block size of 8 bytes. */
const BLOCK = 8;

function sshString(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * Generates an Ed25519 key pair in the format of OpenSSH's PROTOCOL.key. ssh2's generator is not used because it drops
 * leading zero bytes, which makes one key in 256 unusable (mscdex/ssh2#1513).
 */
export function generateKeyPair(comment: string): KeyPair {
  const { privateKey } = generateKeyPairSync('ed25519');
  const { x, d } = privateKey.export({ format: 'jwk' });
  const publicBytes = Buffer.from(x as string, 'base64url');
  const seed = Buffer.from(d as string, 'base64url');

  const publicBlob = Buffer.concat([sshString(KEY_TYPE), sshString(publicBytes)]);
  const check = randomBytes(4);
  const secret = Buffer.concat([
    check,
    check,
    publicBlob,
    sshString(Buffer.concat([seed, publicBytes])),
    sshString(comment),
  ]);
  const padding = Buffer.from(
    Array.from({ length: (BLOCK - (secret.length % BLOCK)) % BLOCK }, (_, index) => index + 1),
  );
  const keyCount = Buffer.from([0, 0, 0, 1]);
  const container = Buffer.concat([
    Buffer.from('openssh-key-v1\0'),
    sshString('none'),
    sshString('none'),
    sshString(''),
    keyCount,
    sshString(publicBlob),
    sshString(Buffer.concat([secret, padding])),
  ]).toString('base64');

  const lines = container.match(new RegExp(`.{1,${PEM_LINE}}`, 'g')) ?? [];
  return {
    privateKey: `-----BEGIN OPENSSH PRIVATE KEY-----\n${lines.join('\n')}\n-----END OPENSSH PRIVATE KEY-----\n`,
    publicKey: `${KEY_TYPE} ${publicBlob.toString('base64')} ${comment}`,
  };
}
