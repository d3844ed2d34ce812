import { setTimeout as sleep } from 'node:timers/promises';
import { CreateServiceLinkedRoleCommand, IAMClient } from '@aws-sdk/client-iam';
import { answering } from '../cloudformation/answer';

const PHYSICAL_ID = 'AWSServiceRoleForECS';

/** IAM is eventually consistent; ECS takes about this long to see a role that was made just now. */
const PROPAGATION_MS = 15_000;

const iam = new IAMClient({ maxAttempts: 4, customUserAgent: 'mngr-fargate-ecs-service-role' });

/**
 * Makes ECS's service-linked role in an account that has none yet. `AWS::IAM::ServiceLinkedRole` would fail where there is
 * one, and delete it with the stack. It stays when the stack goes, since the account's other clusters use it too.
 */
export const handler = answering(async ({ RequestType }) => {
  if (RequestType === 'Delete') return PHYSICAL_ID;
  try {
    await iam.send(new CreateServiceLinkedRoleCommand({ AWSServiceName: 'ecs.amazonaws.com' }));
    console.log({ notice: 'service-role-created' });
    await sleep(PROPAGATION_MS);
  } catch (error) {
    // "Service role name AWSServiceRoleForECS has been taken in this account, please try a different suffix."
    const { name, message } = error as Error;
    if (name !== 'InvalidInputException' || !message.includes('has been taken')) throw error;
  }
  return PHYSICAL_ID;
});
