import { ArnFormat, Stack } from 'aws-cdk-lib';
import type { IManagedPolicy } from 'aws-cdk-lib/aws-iam';
import { PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { ISecret } from 'aws-cdk-lib/aws-secretsmanager';
import type { Construct } from 'constructs';
import { acknowledgeFinding, managedPolicyFinding, wildcardFinding } from '../checks/nag-acknowledgement';
import { EXEC_CHANNEL_ACTIONS } from '../exec/exec-channel';

export interface TaskRoleProps {
  /**
   * @default - none
   */
  readonly managedPolicies?: IManagedPolicy[];

  /**
   * @default false
   */
  readonly bedrock?: boolean;

  /**
   * @default - none
   */
  readonly secrets?: ISecret[];
}

/**
 * The role of programs on a host: agents that run unreviewed code. It allows the channel of ECS Exec, and what the
 * deployer explicitly asked for.
 */
export class TaskRole extends Role {
  constructor(scope: Construct, id: string, props: TaskRoleProps = {}) {
    const stack = Stack.of(scope);
    super(scope, id, {
      // ECS may assume the role only for tasks of this account and region (ECS developer guide, "Amazon ECS task IAM
      // role").
      assumedBy: new ServicePrincipal('ecs-tasks.amazonaws.com', {
        conditions: {
          StringEquals: { 'aws:SourceAccount': stack.account },
          ArnLike: {
            'aws:SourceArn': stack.formatArn({ service: 'ecs', resource: '*', arnFormat: ArnFormat.NO_RESOURCE_NAME }),
          },
        },
      }),
      description: 'Programs on mngr hosts',
    });

    this.allowExec();
    if (props.bedrock ?? false) this.allowBedrock();
    for (const secret of props.secrets ?? []) secret.grantRead(this);
    for (const policy of props.managedPolicies ?? []) this.attach(policy);
  }

  private allowExec(): void {
    this.addToPolicy(
      new PolicyStatement({
        sid: 'EcsExecChannel',
        actions: [...EXEC_CHANNEL_ACTIONS],
        resources: ['*'],
      }),
    );
    acknowledgeFinding(
      this,
      wildcardFinding(this, '*'),
      'The four ssmmessages actions are the channel of ECS Exec and have no resource-level permissions.',
    );
  }

  /** A cross-region inference profile calls the model in any region of its geography, so models are allowed in all. */
  private allowBedrock(): void {
    const { partition, account } = Stack.of(this);
    const resources = [
      `arn:${partition}:bedrock:*::foundation-model/anthropic.*`,
      `arn:${partition}:bedrock:*:${account}:inference-profile/*.anthropic.*`,
    ];
    this.addToPolicy(
      new PolicyStatement({
        sid: 'InvokeAnthropicModels',
        actions: ['bedrock:InvokeModel', 'bedrock:InvokeModelWithResponseStream'],
        resources,
      }),
    );
    for (const resource of resources) {
      acknowledgeFinding(
        this,
        wildcardFinding(this, resource),
        "The deployer asked for Bedrock; the wildcards stand for Anthropic's model versions and for the regions that a cross-region inference profile routes to.",
      );
    }
  }

  private attach(policy: IManagedPolicy): void {
    this.addManagedPolicy(policy);
    acknowledgeFinding(
      this,
      managedPolicyFinding(this, policy.managedPolicyArn),
      'The deployer attached this policy to the hosts by name.',
    );
  }
}
