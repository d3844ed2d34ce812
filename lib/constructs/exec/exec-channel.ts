import type { IGrantable } from 'aws-cdk-lib/aws-iam';
import { Grant } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { acknowledgeFinding, wildcardFinding } from '../checks/nag-acknowledgement';

/** What the agent of ECS Exec does with its task's role. */
export const EXEC_CHANNEL_ACTIONS: readonly string[] = [
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
];

/**
 * Lets the agent of ECS Exec in a task connect to Session Manager; for the role of any task. The service must be deployed
 * with `enableExecuteCommand`, and a running task has to be replaced.
 */
export function grantExecChannel(taskRole: IGrantable): void {
  Grant.addToPrincipal({
    grantee: taskRole,
    actions: [...EXEC_CHANNEL_ACTIONS],
    resourceArns: ['*'],
  });
  const { grantPrincipal } = taskRole;
  if (Construct.isConstruct(grantPrincipal)) {
    acknowledgeFinding(
      grantPrincipal,
      wildcardFinding(grantPrincipal, '*'),
      'The four ssmmessages actions are the channel of ECS Exec and have no resource-level permissions.',
    );
  }
}
