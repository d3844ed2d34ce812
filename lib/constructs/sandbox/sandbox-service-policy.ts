import { Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { HOST_TAGS } from '../../contract/tags';
import { allow } from '../checks/statement';
import type { IAgentCluster } from '../environment/agent-cluster';
import { readLogs, readStackOutputs } from '../environment/reading-statements';
import type { SandboxTaskDefinition } from './sandbox-task-definition';

export interface SandboxServicePolicyProps {
  /** Where sandboxes run. */
  readonly cluster: IAgentCluster;

  readonly taskDefinition: SandboxTaskDefinition;
}

/**
 * What the sandbox service does in AWS: start, find, tag and stop the tasks of the one family, register its revisions with
 * another image, and nothing else, be it in the same cluster. It needs no credentials for what happens in a sandbox, which
 * is SSH.
 */
export class SandboxServicePolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: SandboxServicePolicyProps) {
    super(scope, id, { description: `Start, find and stop the sandboxes of ${props.taskDefinition.family}` });
    this.addStatements(...this.statements(props));
  }

  private statements({ cluster, taskDefinition }: SandboxServicePolicyProps): PolicyStatement[] {
    const stack = Stack.of(this);
    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const tasks = stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/*` });
    const isSandbox = { [`aws:ResourceTag/${HOST_TAGS.environment}`]: taskDefinition.family };
    const wildcard =
      'Task ids are made up at launch; tasks of this cluster only, and changes only of tagged sandboxes.';

    return [
      allow(this, 'RunSandboxes', ['ecs:RunTask'], [taskDefinition.anyRevisionArn], {
        conditions: {
          ...inThisCluster,
          StringEquals: { [`aws:RequestTag/${HOST_TAGS.environment}`]: taskDefinition.family },
        },
        wildcard: 'Any revision of the one family, since each deployment makes a new revision; in this cluster only.',
      }),
      allow(this, 'PassExecutionRole', ['iam:PassRole'], [taskDefinition.executionRole.roleArn], {
        conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
      }),
      allow(this, 'TagSandboxesAtLaunch', ['ecs:TagResource'], [tasks], {
        conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
        wildcard,
      }),
      allow(this, 'ManageSandboxes', ['ecs:StopTask', 'ecs:TagResource', 'ecs:UntagResource'], [tasks], {
        conditions: { StringEquals: isSandbox },
      }),
      allow(this, 'DescribeSandboxes', ['ecs:DescribeTasks'], [tasks]),
      allow(this, 'ListSandboxes', ['ecs:ListTasks'], ['*'], {
        conditions: inThisCluster,
        wildcard:
          'ecs:ListTasks knows container instances as its only resource type, and Fargate has none: the condition limits it to this cluster. ecs:DescribeTaskDefinition and ec2:Describe… have no resource-level permissions, and read only.',
      }),
      // For a session with an image of its own. AWS checks PassExecutionRole too, and that no tag is set.
      allow(this, 'RegisterImageOverrides', ['ecs:RegisterTaskDefinition'], [taskDefinition.anyRevisionArn]),
      allow(this, 'ReadTaskDefinitions', ['ecs:DescribeTaskDefinition'], ['*']),
      allow(this, 'FindSandboxAddresses', ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups'], ['*']),
      readLogs(this, 'ReadSandboxLogs', { logGroupName: taskDefinition.logGroupName, whose: 'sandboxes' }),
      // For a service that is told the stack's name and nothing else (SANDBOX_STACK).
      readStackOutputs(this),
    ];
  }
}
