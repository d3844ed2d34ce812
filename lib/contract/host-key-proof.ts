import { createHmac, timingSafeEqual } from 'node:crypto';

/**
 * The host-key proof. The container generates its host key at boot and appends this comment to its SSH identification
 * string (sshd's VersionAddendum, which is sent before the key exchange):
 *
 *     mngr-host-proof=<base64url of HMAC-SHA256(key: the nonce's 64 hex digits as ASCII, message: the public key's base64 blob as ASCII)>
 *
 * where the blob is the second field of the key's `.pub` file. Anybody who knows the nonce can tell this host's key from
 * an attacker's before sending anything. SSH clients don't show the line to their users.
 */
export const HOST_KEY_PROOF_PREFIX = 'mngr-host-proof=';

/** The proof for a host key. `publicKeyBlob` is the key in SSH wire form, as the key exchange delivers it. */
export function hostKeyProof(nonce: string, publicKeyBlob: Buffer): string {
  return createHmac('sha256', nonce).update(publicKeyBlob.toString('base64')).digest('base64url');
}

/** The proof in an SSH identification string (`SSH-2.0-… mngr-host-proof=…`), or undefined. */
export function proofInIdentification(identification: string): string | undefined {
  const comment = identification
    .trim()
    .split(' ')
    .find((word) => word.startsWith(HOST_KEY_PROOF_PREFIX));
  return comment?.slice(HOST_KEY_PROOF_PREFIX.length);
}

/**
 * True if the identification string proves this public key for this nonce. An empty nonce proves nothing, since everybody
 * knows it. Compares in constant time.
 */
export function provesHostKey(identification: string, nonce: string, publicKeyBlob: Buffer): boolean {
  if (nonce === '') return false;
  const shown = Buffer.from(proofInIdentification(identification) ?? '');
  const expected = Buffer.from(hostKeyProof(nonce, publicKeyBlob));
  return shown.length === expected.length && timingSafeEqual(shown, expected);
}
