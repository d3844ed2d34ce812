import { GenerateDataKeyCommand } from '@aws-sdk/client-kms';
import { awsProblem } from '../../aws/aws-errors';
import { MngrFargateError } from '../../contract/errors';
import type { DataKey } from '../protocol/handshake';
import type { SessionClients } from '../types';
import { missingClient } from './missing-client';

const DATA_KEY_BYTES = 64;

/** A key for one session, which KMS gives to those alone who may encrypt for it. */
export async function generateDataKey(
  { keyId, sessionId, target }: { readonly keyId: string; readonly sessionId: string; readonly target: string },
  kms: SessionClients['kms'],
  signal: AbortSignal,
): Promise<DataKey> {
  if (kms === undefined) throw missingClient('kms', 'encrypts this session, as its cluster or account demands');
  const context = { 'aws:ssm:SessionId': sessionId, 'aws:ssm:TargetId': target };
  const command = new GenerateDataKeyCommand({
    KeyId: keyId,
    NumberOfBytes: DATA_KEY_BYTES,
    EncryptionContext: context,
  });
  const made = await kms.send(command, { abortSignal: signal }).catch((error: unknown) => {
    throw awsProblem(error, `get a data key for the session from ${keyId}`, signal);
  });
  const { Plaintext: plaintext, CiphertextBlob: ciphertext } = made;
  if (plaintext === undefined || ciphertext === undefined)
    throw new MngrFargateError('failed', `KMS gave no data key for ${keyId}`);
  return { plaintext, ciphertext };
}
