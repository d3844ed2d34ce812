import type { AgentContainer } from '../../agent/agent';
import type { EncryptionContext, SessionKey } from '../../agent/encryption';
import type { World } from '../../world';
import { encryptionContextKeys, kmsKeys } from '../kms/keys';
import type { EcsCluster } from './clusters';

/**
 * The key with which sessions are encrypted according to the cluster's configuration; the agent uses it with its task's
 * role.
 */
export function sessionKeyOf(
  world: World,
  { configuration }: EcsCluster,
  container: AgentContainer,
  sessionId: string,
): SessionKey | undefined {
  const keyId = configuration?.executeCommandConfiguration?.kmsKeyId;
  if (keyId === undefined) return undefined;
  return {
    keyId,
    context: { 'aws:ssm:SessionId': sessionId, 'aws:ssm:TargetId': container.target },
    decrypt: (ciphertext, context) => decryptAs(world, container, ciphertext, context),
  };
}

async function decryptAs(
  world: World,
  container: AgentContainer,
  ciphertext: Buffer,
  context: EncryptionContext,
): Promise<Buffer> {
  const keys = world.part(kmsKeys);
  const key = keys.keyOf(ciphertext);
  if (key === undefined) throw new Error('InvalidCiphertextException');
  const action = 'kms:Decrypt';
  if (!container.allows({ action, resource: key.arn, context: encryptionContextKeys(context) })) {
    throw new Error(
      `AccessDeniedException: the task's role is not authorized to perform: ${action} on resource: ${key.arn}`,
    );
  }
  const plaintext = keys.decrypt(key, ciphertext, context);
  if (plaintext === undefined) throw new Error('InvalidCiphertextException');
  return Promise.resolve(plaintext);
}
