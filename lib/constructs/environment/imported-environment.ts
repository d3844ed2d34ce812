import type { Duration } from 'aws-cdk-lib';
import { Fn, Stack, Token } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Connections, SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IPrincipal, IRole } from 'aws-cdk-lib/aws-iam';
import { Role } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import { STACK_OUTPUTS } from '../../contract/outputs';
import type { IAgentCluster } from './agent-cluster';
import { AgentCluster } from './agent-cluster';
import type { IAgentNetwork } from './agent-network';
import { ImportedAgentNetwork, NetworkMode } from './agent-network';
import type { IAgentEnvironment, IAgentTaskDefinition } from './environment-interfaces';

/** What can't be read from the outputs of an environment's stack. */
interface Enforcement {
  /**
   * Default maximum age of hosts.
   *
   * @default - no limit
   */
  readonly defaultMaxAge?: Duration;

  /**
   * Whether the environment has its reaper, which is what enforces a maximum age.
   *
   * @default true
   */
  readonly hasReaper?: boolean;
}

/** The outputs of a deployed environment, by the names that `docs/configuration.md` has for them. */
export interface AgentEnvironmentAttributes extends Enforcement {
  /** `vpc-…` */
  readonly vpcId: string;

  /** Subnets that hosts run in, at least one. */
  readonly subnetIds: string[];

  /**
   * @default NetworkMode.PUBLIC
   */
  readonly networkMode?: NetworkMode;

  readonly clusterName: string;

  /** Task definition family, `family:revision` or the ARN of a revision. A family stands for its newest revision. */
  readonly taskDefinition: string;

  /** `sg-…` */
  readonly securityGroupId: string;

  /** Name of the hosts' log group in CloudWatch Logs. */
  readonly logGroupName: string;

  readonly taskRoleArn: string;
  readonly executionRoleArn: string;

  /**
   * CPU units of a host.
   *
   * @default 1024
   */
  readonly cpu?: number;

  /**
   * Memory of a host in MiB.
   *
   * @default 4096
   */
  readonly memoryLimitMiB?: number;

  /**
   * How long a host runs without activity. Zero means forever.
   *
   * @default Duration.hours(1)
   */
  readonly defaultIdleTimeout?: Duration;
}

export interface AgentEnvironmentStackOptions extends Enforcement {
  /**
   * Name of the environment's stack, in the same account and region.
   */
  readonly stackName: string;
}

class ImportedTaskDefinition extends Construct implements IAgentTaskDefinition {
  readonly taskRole: IRole;
  readonly executionRole: IRole;
  readonly grantPrincipal: IPrincipal;
  readonly family: string;
  readonly taskDefinitionArn: string;
  readonly logGroupName: string;
  readonly cpu: number;
  readonly memoryLimitMiB: number;

  constructor(scope: Construct, id: string, attributes: AgentEnvironmentAttributes) {
    super(scope, id);
    this.taskDefinitionArn = attributes.taskDefinition;
    this.family = familyOf(attributes.taskDefinition);
    this.logGroupName = attributes.logGroupName;
    this.cpu = attributes.cpu ?? 1024;
    this.memoryLimitMiB = attributes.memoryLimitMiB ?? 4096;
    this.taskRole = Role.fromRoleArn(this, 'TaskRole', attributes.taskRoleArn);
    this.executionRole = Role.fromRoleArn(this, 'ExecutionRole', attributes.executionRoleArn, { mutable: false });
    this.grantPrincipal = this.taskRole.grantPrincipal;
  }

  get anyRevisionArn(): string {
    return Stack.of(this).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: `${this.family}:*` });
  }
}

/** The family in `family`, `family:revision` or an ARN that ends like that. */
const familyOf = (taskDefinition: string): string =>
  Token.isUnresolved(taskDefinition) ? taskDefinition : (taskDefinition.split('/').pop() ?? '').replace(/:\d+$/, '');

/** An environment that another app, or another stack, has deployed. */
export class ImportedAgentEnvironment extends Construct implements IAgentEnvironment {
  readonly network: IAgentNetwork;
  readonly cluster: IAgentCluster;
  readonly securityGroup: ISecurityGroup;
  readonly taskDefinition: IAgentTaskDefinition;
  readonly hasReaper: boolean;
  readonly defaultIdleTimeoutSeconds: number;
  readonly defaultMaxAgeSeconds: number | undefined;
  readonly connections: Connections;
  readonly grantPrincipal: IPrincipal;

  constructor(scope: Construct, id: string, attributes: AgentEnvironmentAttributes, assignPublicIp: boolean) {
    super(scope, id);
    const { vpcId, subnetIds } = attributes;
    this.network = new ImportedAgentNetwork(this, 'Network', vpcId, subnetIds, assignPublicIp);
    this.cluster = AgentCluster.fromClusterName(this, 'Cluster', attributes.clusterName);
    this.securityGroup = SecurityGroup.fromSecurityGroupId(this, 'SecurityGroup', attributes.securityGroupId);
    this.taskDefinition = new ImportedTaskDefinition(this, 'Task', attributes);
    this.connections = new Connections({ securityGroups: [this.securityGroup] });
    this.grantPrincipal = this.taskDefinition.grantPrincipal;
    this.hasReaper = attributes.hasReaper ?? true;
    this.defaultIdleTimeoutSeconds = attributes.defaultIdleTimeout?.toSeconds() ?? 3600;
    this.defaultMaxAgeSeconds = attributes.defaultMaxAge?.toSeconds();
  }
}

export const environmentFromAttributes = (
  scope: Construct,
  id: string,
  attributes: AgentEnvironmentAttributes,
): IAgentEnvironment =>
  new ImportedAgentEnvironment(
    scope,
    id,
    attributes,
    (attributes.networkMode ?? NetworkMode.PUBLIC) === NetworkMode.PUBLIC,
  );

export function environmentFromStackOutputs(
  scope: Construct,
  id: string,
  { stackName, ...rest }: AgentEnvironmentStackOptions,
): IAgentEnvironment {
  const output = (name: keyof typeof STACK_OUTPUTS): string =>
    Fn.getStackOutput(stackName, STACK_OUTPUTS[name]).toString();
  const number = (name: keyof typeof STACK_OUTPUTS): number =>
    Token.asNumber(Fn.getStackOutput(stackName, STACK_OUTPUTS[name]));
  const attributes: AgentEnvironmentAttributes = {
    ...rest,
    vpcId: output('vpcId'),
    subnetIds: Fn.split(',', output('subnets')),
    clusterName: output('ecsCluster'),
    taskDefinition: output('taskDefinition'),
    securityGroupId: output('securityGroups'),
    logGroupName: output('logGroup'),
    taskRoleArn: output('taskRoleArn'),
    executionRoleArn: output('executionRoleArn'),
    cpu: number('cpu'),
    memoryLimitMiB: number('memory'),
  };
  // A token that stands for `true` or `false`: only templates evaluate it.
  const assignPublicIp = Fn.getStackOutput(stackName, STACK_OUTPUTS.assignPublicIp) as unknown as boolean;
  return new ImportedAgentEnvironment(scope, id, attributes, assignPublicIp);
}
