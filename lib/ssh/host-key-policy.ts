import { createHash } from 'node:crypto';
import { MngrFargateError } from '../contract/errors';
import { proofInIdentification, provesHostKey } from '../contract/host-key-proof';

/** How a connection decides whether the key that it is shown is this host's. There is no trust on first use. */
export type HostKeyPolicy =
  /** Before the first login: the identification string proves the key for the nonce that RunTask passed. */
  | { readonly type: 'proof'; readonly nonce: string }
  /** Afterwards: the key is one of those pinned for the address, in SSH wire form. */
  | { readonly type: 'pinned'; readonly keys: readonly Buffer[] };

const UNPROVEN_HINT =
  'nothing was sent to it; check that the image is this project’s and that no other machine answers in its place';

/** `SHA256:…` as ssh-keygen prints it. */
export const fingerprintOf = (publicKey: Buffer): string =>
  `SHA256:${createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')}`;

/** Why a server with this identification string cannot be this host; undefined if its key has to decide. */
export function identificationProblem(
  policy: HostKeyPolicy,
  identification: string,
  where: string,
): MngrFargateError | undefined {
  if (policy.type === 'pinned' || proofInIdentification(identification) !== undefined) return undefined;
  return new MngrFargateError(
    'unverified-host-key',
    `the machine at ${where} shows no proof of its host key (it says ${JSON.stringify(identification)}): it cannot be verified as this host`,
    { details: { address: where, identification }, hint: UNPROVEN_HINT },
  );
}

/** Why this key is not accepted; undefined if it is this host's. */
export function hostKeyProblem(
  policy: HostKeyPolicy,
  identification: string,
  publicKey: Buffer,
  where: string,
): MngrFargateError | undefined {
  const details = { address: where, fingerprint: fingerprintOf(publicKey) };
  if (policy.type === 'pinned') {
    if (policy.keys.some((key) => key.equals(publicKey))) return undefined;
    return new MngrFargateError(
      'unverified-host-key',
      `the machine at ${where} shows host key ${details.fingerprint}, which is not the pinned one: it is not this host`,
      {
        details,
        hint: 'nothing was sent to it; the address may belong to another task by now, see `mngr-fargate list`',
      },
    );
  }
  if (provesHostKey(identification, policy.nonce, publicKey)) return undefined;
  return new MngrFargateError(
    'unverified-host-key',
    `the machine at ${where} shows a proof that does not fit its host key ${details.fingerprint}: it cannot be verified as this host`,
    { details: { ...details, identification }, hint: UNPROVEN_HINT },
  );
}
