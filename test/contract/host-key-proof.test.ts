import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import fc from 'fast-check';
import { hostKeyProof, proofInIdentification, provesHostKey } from '../../lib/contract/host-key-proof';

const nonce = 'ab'.repeat(32);
const key = Buffer.from('0000000b7373682d6564323535313900000020', 'hex');

describe('host-key proof', () => {
  test('is what openssl computes over the key blob', () => {
    const expected = execFileSync('openssl', ['dgst', '-sha256', '-hmac', nonce, '-binary'], {
      input: key.toString('base64'),
    }).toString('base64url');
    expect(hostKeyProof(nonce, key)).toBe(expected);
  });

  test('fits the identification string, which SSH limits to 255 bytes', () => {
    const identification = `SSH-2.0-OpenSSH_10.2p1 mngr-host-proof=${hostKeyProof(nonce, randomBytes(51))}\r\n`;
    expect(Buffer.byteLength(identification)).toBeLessThanOrEqual(255);
  });

  test('is valid for its key and its nonce, and for no other', () => {
    const bytes = fc.uint8Array({ minLength: 1, maxLength: 64 }).map((array) => Buffer.from(array));
    const nonces = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((array) => Buffer.from(array).toString('hex'));
    fc.assert(
      fc.property(bytes, bytes, nonces, nonces, (ownKey, otherKey, ownNonce, otherNonce) => {
        const identification = `SSH-2.0-OpenSSH_9.2p1 mngr-host-proof=${hostKeyProof(ownNonce, ownKey)}\r\n`;
        expect(provesHostKey(identification, ownNonce, ownKey)).toBe(true);
        expect(provesHostKey(identification, ownNonce, otherKey)).toBe(ownKey.equals(otherKey));
        expect(provesHostKey(identification, otherNonce, ownKey)).toBe(ownNonce === otherNonce);
      }),
    );
  });

  test.each(['SSH-2.0-OpenSSH_9.2p1', 'SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u9', '', 'SSH-2.0-x mngr-host-proof='])(
    '%j proves nothing',
    (identification) => {
      expect(provesHostKey(identification, nonce, key)).toBe(false);
    },
  );

  test('is found among other comments', () => {
    expect(proofInIdentification('SSH-2.0-x Debian-2 mngr-host-proof=abc\r\n')).toBe('abc');
  });
});
