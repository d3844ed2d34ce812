import { Stack } from 'aws-cdk-lib';
import { Effect, ManagedPolicy, PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Construct } from 'constructs';
import { allow } from '../checks/statement';
import type { IAgentCluster } from '../environment/agent-cluster';
import type { ExecAudit } from './exec-audit';
import type { SessionDocument } from './session-statements';
import { ownSessionStatements, SESSION_DOCUMENTS, sessionStatements, taggedWith } from './session-statements';

/** Which tasks a policy is about. Every `ICluster` of the CDK is a cluster here. */
export interface ExecTargetProps {
  readonly cluster: IAgentCluster;

  /**
   * Ids of the tasks.
   *
   * @default - every task of the cluster
   */
  readonly tasks?: string[];

  /**
   * Tags that a task must have. A service tags its tasks if it propagates tags.
   *
   * @default - none
   */
  readonly tags?: Readonly<Record<string, string>>;
}

export interface ExecPolicyProps extends ExecTargetProps {
  /**
   * Names of the containers in which commands may run.
   *
   * @default - every container
   */
  readonly containers?: string[];

  /**
   * The audit of the cluster, whose key encrypts the sessions.
   *
   * @default - none: sessions are not encrypted with a key of the account
   */
  readonly audit?: ExecAudit;
}

const TASK_IDS = 'Task ids are made up at launch; tasks of this cluster only.';

function tasksOf(scope: Construct, { cluster, tasks = ['*'] }: ExecTargetProps): string[] {
  // An empty list of resources would only fail at deployment.
  if (tasks.length === 0) throw new Error(`${scope.node.path}: tasks is empty: name one, or leave it out for all`);
  return tasks.map((id) =>
    Stack.of(scope).formatArn({ service: 'ecs', resource: 'task', resourceName: `${cluster.clusterName}/${id}` }),
  );
}

/** For people who run commands in containers: allows finding tasks of a cluster and opening ECS Exec in them. */
export class ExecPolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: ExecPolicyProps) {
    super(scope, id, { description: 'Run commands in tasks with ECS Exec' });
    const { cluster, tags = {}, containers, audit } = props;
    if (containers?.length === 0)
      throw new Error(`${this.node.path}: containers is empty: name one, or leave it out for all`);
    const tasks = tasksOf(this, props);
    const inThisCluster = { ArnEquals: { 'ecs:cluster': cluster.clusterArn } };
    const inContainers = containers === undefined ? undefined : { 'ecs:container-name': containers };
    const onTasks = { ...taggedWith(tags), ...inContainers };

    this.addStatements(
      allow(this, 'ListTasks', ['ecs:ListServices', 'ecs:ListTasks'], ['*'], {
        conditions: inThisCluster,
        wildcard: 'Listing has no resource that Fargate would have; the condition limits it to this cluster.',
      }),
      allow(this, 'DescribeTasks', ['ecs:DescribeTasks'], tasks, { wildcard: TASK_IDS }),
      allow(this, 'ExecInTasks', ['ecs:ExecuteCommand'], tasks, {
        conditions: Object.keys(onTasks).length === 0 ? undefined : { StringEquals: onTasks },
        wildcard: TASK_IDS,
      }),
      // AWS also checks the action on the cluster, which has its own tags.
      allow(this, 'ExecInCluster', ['ecs:ExecuteCommand'], [cluster.clusterArn], {
        conditions: inContainers === undefined ? undefined : { StringEquals: inContainers },
      }),
      ...ownSessionStatements(this, 'Exec'),
      ...(audit === undefined
        ? []
        : [allow(this, 'EncryptSessions', ['kms:GenerateDataKey'], [audit.encryptionKey.keyArn])]),
    );
  }
}

export interface TunnelPolicyProps extends ExecTargetProps {
  /**
   * What may be opened: SSH to a task, a port of a task, or a port of a host that the task reaches, which is as far as the
   * task's security group lets it.
   *
   * @default - SSH and ports of the task itself
   */
  readonly documents?: SessionDocument[];
}

/**
 * For people who forward ports to tasks. AWS records no transcript of such a session, and it can't be limited to a
 * port, so this is a separate policy that nobody gets by accident.
 */
export class TunnelPolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: TunnelPolicyProps) {
    super(scope, id, { description: 'Forward ports to tasks with Session Manager' });
    const { tags = {}, documents = [SESSION_DOCUMENTS.ssh, SESSION_DOCUMENTS.port] } = props;
    if (documents.length === 0) throw new Error(`${this.node.path}: documents is empty: name one, or leave it out`);
    this.addStatements(...sessionStatements(this, 'Tunnel', { tasks: tasksOf(this, props), tags }, documents));
  }
}

/**
 * Denies every session on tasks that ECS Exec didn't open, regardless of other policies: no audit would record such a
 * shell. AWS recommends it for everybody but those who need tunnels (ECS developer guide, "Amazon ECS Exec").
 */
export class DenySessionsPolicy extends ManagedPolicy {
  constructor(scope: Construct, id: string, props: ExecTargetProps) {
    super(scope, id, { description: 'No sessions on tasks beside those of ECS Exec' });
    const tagged = taggedWith(props.tags ?? {});
    this.addStatements(
      new PolicyStatement({
        sid: 'DenySessions',
        effect: Effect.DENY,
        actions: ['ssm:StartSession'],
        resources: tasksOf(this, props),
        conditions: tagged === undefined ? undefined : { StringEquals: tagged },
      }),
    );
  }
}
