import { Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { acknowledgeFinding, wildcardFinding } from '../checks/nag-acknowledgement';

/**
 * The role that ECS itself assumes to start a host. The task definition grants it the image's repository and the log
 * group, and nothing else.
 */
export class ExecutionRole extends Role {
  constructor(scope: Construct, id: string) {
    super(scope, id, {
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com'),
      description: 'ECS pulls the image and writes the logs of mngr hosts',
    });
    acknowledgeFinding(
      this,
      wildcardFinding(this, '*'),
      'ecr:GetAuthorizationToken has no resource-level permissions; pulling is limited to the one repository.',
    );
  }
}
