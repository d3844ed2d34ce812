import { generateKeyPairSync, randomBytes } from 'node:crypto';

/** An Ed25519 key pair in OpenSSH's own forms. */
export interface KeyPair {
  /** OpenSSH private key, PEM, not encrypted. */
  readonly privateKey: string;
  /** One line as in a `.pub` file, without a line break. */
  readonly publicKey: string;
}

const KEY_TYPE = 'ssh-ed25519';
const PEM_LINE = 70;
/** The unencrypted form pads its private section to the "none" cipher's block of 8 bytes. */
const BLOCK = 8;

function sshString(content: Buffer | string): Buffer {
  const bytes = Buffer.from(content as string);
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

/**
 * A new Ed25519 key pair. Written here, to OpenSSH's PROTOCOL.key, because ssh2's generator drops leading zero bytes
 * and so makes one unusable key in 256 (mscdex/ssh2#1513).
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
