import { Stack } from 'aws-cdk-lib';
import type { IRole } from 'aws-cdk-lib/aws-iam';
import { ManagedPolicy } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { SHELL_FAMILY_SUFFIX, SHELL_TAGS } from '../../contract/shell-tasks';
import { allow } from '../checks/statement';
import type { IAgentCluster } from '../environment/agent-cluster';
import type { ExecAudit } from './exec-audit';
import { ownSessionStatements } from './session-statements';

export interface ShellPolicyProps {
  /** Where the tasks run. Every `ICluster` of the CDK is a cluster here. */
  readonly cluster: IAgentCluster;

  /** Families of task definitions like which tasks may be started. */
  readonly families: string[];

  /** The task roles and execution roles of these families. */
  readonly roles: IRole[];

  /**
   * The audit of the cluster, whose key encrypts the sessions.
   *
   * @default - none: sessions are not encrypted with a key of the account
   */
  readonly audit?: ExecAudit;
}

/**
 * For people who start tasks of their own with `mngr-fargate shell`: allows starting tasks like those of the families, also
 * with another image, and entering and stopping tasks that were started so. Whoever has it can use the roles of the families.
 *
 * IAM can't limit `ecs:DeregisterTaskDefinition` to a family, so it isn't allowed: each shell leaves a revision of
 * `FAMILY-shell`, which costs nothing.
 */
export class ShellPolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: ShellPolicyProps) {
    super(scope, id, { description: 'Start tasks with mngr-fargate shell' });
    const { cluster, families, roles, audit } = props;
    // An empty list of resources would only fail at deployment.
    if (families.length === 0) throw new Error(`${this.node.path}: families is empty: name one`);
    if (roles.length === 0) throw new Error(`${this.node.path}: roles is empty: name those of the families`);
    const ecs = (resource: string, resourceName: string): string =>
      Stack.of(this).formatArn({ service: 'ecs', resource, resourceName });
    const tasks = [ecs('task', `${cluster.clusterName}/*`)];
    const revisions = families.map((family) => ecs('task-definition', `${family}${SHELL_FAMILY_SUFFIX}:*`));
    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const onShells = { Null: { [`aws:ResourceTag/${SHELL_TAGS.maxLifetime}`]: 'false' } };
    const taskIds = 'Task ids are made up at launch; tasks of this cluster only.';

    this.addStatements(
      allow(this, 'ReadDefinitions', ['ecs:DescribeTaskDefinition'], ['*'], {
        wildcard: 'ecs:DescribeTaskDefinition has no resource-level permissions; it reads only.',
      }),
      allow(this, 'ListInCluster', ['ecs:ListServices', 'ecs:ListTasks'], ['*'], {
        conditions: inThisCluster,
        wildcard: 'Listing has no resource that Fargate would have; the condition limits it to this cluster.',
      }),
      allow(this, 'ReadServices', ['ecs:DescribeServices'], [ecs('service', `${cluster.clusterName}/*`)], {
        wildcard: 'Every service of this cluster; it reads only.',
      }),
      allow(this, 'RegisterShells', ['ecs:RegisterTaskDefinition'], revisions, {
        wildcard: 'Any revision of these families of shells, since each shell makes a new one.',
      }),
      allow(this, 'RunShells', ['ecs:RunTask'], revisions, { conditions: inThisCluster }),
      allow(this, 'TagShells', ['ecs:TagResource'], tasks, {
        conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' } },
        wildcard: taskIds,
      }),
      allow(this, 'SeeTasks', ['ecs:DescribeTasks'], tasks),
      allow(this, 'UseShells', ['ecs:ExecuteCommand', 'ecs:StopTask'], tasks, { conditions: onShells }),
      // AWS also checks the action on the cluster.
      allow(this, 'ExecInCluster', ['ecs:ExecuteCommand'], [cluster.clusterArn]),
      allow(
        this,
        'PassRoles',
        ['iam:PassRole'],
        roles.map(({ roleArn }) => roleArn),
        { conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } } },
      ),
      ...ownSessionStatements(this, 'Shell'),
      ...(audit === undefined
        ? []
        : [allow(this, 'EncryptSessions', ['kms:GenerateDataKey'], [audit.encryptionKey.keyArn])]),
    );
  }
}
