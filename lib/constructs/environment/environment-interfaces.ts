import type { IConnectable, ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { IGrantable, IRole } from 'aws-cdk-lib/aws-iam';
import type { IConstruct } from 'constructs';
import type { IAgentCluster } from './agent-cluster';
import type { IAgentNetwork } from './agent-network';

/** The task definition of hosts, created by this app or already deployed. */
export interface IAgentTaskDefinition extends IConstruct, IGrantable {
  /** Name that all revisions share. */
  readonly family: string;

  /** What RunTask starts: the ARN of a revision, or the family, which stands for its newest. */
  readonly taskDefinitionArn: string;

  /** ARN of every revision of the family, for policies. */
  readonly anyRevisionArn: string;

  /** Name of the hosts' log group in CloudWatch Logs. */
  readonly logGroupName: string;

  /** What programs on a host may do. */
  readonly taskRole: IRole;

  /** What ECS may do to start a host. */
  readonly executionRole: IRole;

  /** CPU units of a host, 1024 a vCPU. */
  readonly cpu: number;

  /** Memory of a host in MiB. */
  readonly memoryLimitMiB: number;
}

/** An environment in which hosts run, created by this app or already deployed. */
export interface IAgentEnvironment extends IConstruct, IConnectable, IGrantable {
  readonly network: IAgentNetwork;
  readonly cluster: IAgentCluster;
  readonly securityGroup: ISecurityGroup;
  readonly taskDefinition: IAgentTaskDefinition;

  /** Whether hosts that should have ended are stopped from outside, which is what enforces `maxAge`. */
  readonly hasReaper: boolean;

  /** Default idle timeout of hosts in seconds; 0 means never. */
  readonly defaultIdleTimeoutSeconds: number;

  /** Default maximum age of hosts in seconds. */
  readonly defaultMaxAgeSeconds: number | undefined;
}
