import { Stack } from 'aws-cdk-lib';
import type { IGrantable, IIdentity, IPrincipal, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import { AccountRootPrincipal, CompositePrincipal, ManagedPolicy, Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { IAgentCluster } from './agent-cluster';
import type { AgentTaskDefinition } from './agent-task-definition';
import { HOST_TAGS } from '../../contract/tags';
import { allow } from '../checks/statement';
import type { ExecAudit } from '../exec/exec-audit';
import { ShellPolicy } from '../exec/shell-policy';
import { readLogs, readStackOutputs } from './reading-statements';
import { SESSION_DOCUMENTS, sessionStatements } from '../exec/session-statements';

export interface OperatorPolicyProps {
  /** Where hosts may be launched. */
  readonly cluster: IAgentCluster;

  /** What may be launched, with the roles that may be passed and the logs that may be read. */
  readonly taskDefinition: AgentTaskDefinition;

  /**
   * Whether the cluster runs tasks that are not hosts. The operator may then change only tasks that are tagged as hosts.
   *
   * @default false
   */
  readonly sharedCluster?: boolean;

  /**
   * Whether operators may use ECS Exec, which opens a shell as root on every host of the environment. What is typed in
   * it is not recorded.
   *
   * @default false
   */
  readonly exec?: boolean;

  /**
   * Whether operators may start tasks in the hosts' image, or in another one, with `mngr-fargate shell`.
   *
   * @default false
   */
  readonly shell?: boolean;

  /**
   * The audit of the cluster, whose key encrypts the sessions of ECS Exec.
   *
   * @default - none: sessions are not encrypted with a key of the account
   */
  readonly audit?: ExecAudit;

  /**
   * Whether operators may reach sshd of the hosts through Session Manager, which needs no open port. It opens a connection
   * to a port of a host and no shell: sshd still asks for the host's own key.
   *
   * @default true
   */
  readonly sessionSsh?: boolean;

  /**
   * Who may take the operator role.
   *
   * @default - whoever the stack's account allows to call sts:AssumeRole on it
   */
  readonly principals?: IPrincipal[];

  /**
   * External id that callers must give with sts:AssumeRole.
   *
   * @default - none
   */
  readonly externalId?: string;
}

/**
 * A stack treats a task that is tagged as its own as its host, and trusts its nonce, so only the stack's own function
 * may set that tag. Also true for requests without tags.
 */
const NOT_A_STACKS = { Null: { [`aws:RequestTag/${HOST_TAGS.stackId}`]: 'true' } };

/**
 * What the launcher needs and nothing more: a managed policy to attach to people, and a role with it to assume
 * (`aws_role_arn` of the provider block). Resource types and condition keys are those of the service authorization
 * reference of each service; docs/decisions/012-operator-policy.md goes through them.
 */
export class OperatorPolicy extends Construct {
  readonly managedPolicy: ManagedPolicy;
  readonly role: Role;

  /** For `mngr-fargate shell`; undefined when it was left out. */
  readonly shellPolicy: ShellPolicy | undefined;

  constructor(scope: Construct, id: string, props: OperatorPolicyProps) {
    super(scope, id);
    this.managedPolicy = new ManagedPolicy(this, 'Policy', {
      description: 'Launch, find and stop mngr hosts of this environment',
      statements: this.statements(props),
    });

    const { taskDefinition } = props;
    this.shellPolicy =
      props.shell === true
        ? new ShellPolicy(this, 'Shell', {
            cluster: props.cluster,
            families: [taskDefinition.family],
            roles: [taskDefinition.taskRole, taskDefinition.executionRole],
            audit: props.audit,
          })
        : undefined;

    const principals = props.principals ?? [new AccountRootPrincipal()];
    this.role = new Role(this, 'Role', {
      description: 'Launches, finds and stops mngr hosts of this environment',
      assumedBy: new CompositePrincipal(...principals),
      externalIds: props.externalId === undefined ? undefined : [props.externalId],
      managedPolicies: this.policies(),
    });
  }

  /**
   * Gives a role, user or group the permissions of the operator role: launching, finding and stopping hosts. Also
   * accepts anything with a role, such as a function. Throws for a principal that no policy can be attached to.
   */
  grantLaunch(grantee: IGrantable): void {
    const identity: Partial<IIdentity> = grantee.grantPrincipal as IPrincipal & Partial<IIdentity>;
    if (identity.addManagedPolicy === undefined) {
      throw new Error(
        `${this.node.path}: only a role, a user or a group can be given permission to launch hosts; let others assume the operator role`,
      );
    }
    for (const policy of this.policies()) identity.addManagedPolicy(policy);
  }

  private policies(): ManagedPolicy[] {
    return [this.managedPolicy, ...(this.shellPolicy === undefined ? [] : [this.shellPolicy])];
  }

  private statements({
    cluster,
    taskDefinition,
    sharedCluster = false,
    exec = false,
    audit,
    sessionSsh = true,
  }: OperatorPolicyProps): PolicyStatement[] {
    const stack = Stack.of(this);
    const { clusterArn, clusterName } = cluster;
    const inThisCluster = { ArnEquals: { 'ecs:cluster': clusterArn } };
    const hosts = stack.formatArn({ service: 'ecs', resource: 'task', resourceName: `${clusterName}/*` });

    return [
      allow(this, 'RunHosts', ['ecs:RunTask'], [taskDefinition.anyRevisionArn], {
        conditions: { ...inThisCluster, ...NOT_A_STACKS },
        wildcard: 'Any revision of the one family, since each deployment makes a new revision; in this cluster only.',
      }),
      allow(
        this,
        'PassHostRoles',
        ['iam:PassRole'],
        [taskDefinition.taskRole.roleArn, taskDefinition.executionRole.roleArn],
        {
          conditions: { StringEquals: { 'iam:PassedToService': 'ecs-tasks.amazonaws.com' } },
        },
      ),
      ...this.hostStatements(hosts, { exec, environment: sharedCluster ? taskDefinition.family : undefined }),
      ...(sessionSsh
        ? sessionStatements(
            this,
            'Ssh',
            { tasks: [hosts], tags: sharedCluster ? { [HOST_TAGS.environment]: taskDefinition.family } : {} },
            [SESSION_DOCUMENTS.ssh],
          )
        : []),
      ...(exec ? [allow(this, 'OpenExecInCluster', ['ecs:ExecuteCommand'], [clusterArn])] : []),
      ...(exec && audit !== undefined
        ? [allow(this, 'EncryptSessions', ['kms:GenerateDataKey'], [audit.encryptionKey.keyArn])]
        : []),
      allow(this, 'ListHosts', ['ecs:ListTasks'], ['*'], {
        conditions: inThisCluster,
        wildcard:
          'ecs:ListTasks knows container instances as its only resource type, and Fargate has none; the condition limits it to this cluster.',
      }),
      allow(this, 'RegisterImageOverrides', ['ecs:RegisterTaskDefinition'], [taskDefinition.anyRevisionArn]),
      allow(this, 'ReadTaskDefinitions', ['ecs:DescribeTaskDefinition'], ['*'], {
        wildcard: 'ecs:DescribeTaskDefinition has no resource-level permissions; it reads only.',
      }),
      allow(this, 'FindHostAddresses', ['ec2:DescribeNetworkInterfaces', 'ec2:DescribeSecurityGroups'], ['*'], {
        wildcard: 'These ec2:Describe actions have no resource-level permissions; they read only.',
      }),
      readLogs(this, 'ReadHostLogs', { logGroupName: taskDefinition.logGroup.logGroupName, whose: 'hosts' }),
      readStackOutputs(this),
    ];
  }

  /**
   * Actions on hosts. In a shared cluster a task counts as a host of this environment only if it carries the tag that
   * RunTask gave it, and no other task can be given that tag; describing other tasks does no harm.
   */
  private hostStatements(
    hosts: string,
    { exec, environment }: { readonly exec: boolean; readonly environment: string | undefined },
  ): PolicyStatement[] {
    const wildcard = 'Task ids are made up at launch; tasks of this cluster only.';
    const changes = ['ecs:StopTask', 'ecs:TagResource', 'ecs:UntagResource', ...(exec ? ['ecs:ExecuteCommand'] : [])];
    if (environment === undefined)
      return [
        allow(this, 'ManageHosts', ['ecs:DescribeTasks', ...changes], [hosts], { conditions: NOT_A_STACKS, wildcard }),
      ];
    return [
      allow(this, 'DescribeHosts', ['ecs:DescribeTasks'], [hosts], { wildcard }),
      allow(this, 'TagHostsAtLaunch', ['ecs:TagResource'], [hosts], {
        conditions: { StringEquals: { 'ecs:CreateAction': 'RunTask' }, ...NOT_A_STACKS },
      }),
      allow(this, 'ManageHosts', changes, [hosts], {
        conditions: {
          StringEquals: { [`aws:ResourceTag/${HOST_TAGS.environment}`]: environment },
          ...NOT_A_STACKS,
        },
      }),
    ];
  }
}
