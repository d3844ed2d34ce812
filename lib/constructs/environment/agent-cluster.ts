import type { IVpc } from 'aws-cdk-lib/aws-ec2';
import { Stack } from 'aws-cdk-lib';
import type { ExecuteCommandConfiguration } from 'aws-cdk-lib/aws-ecs';
import { Cluster, ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';
import { referenceWeakly } from '../checks/weak-references';

/** What hosts need of an ECS cluster. Every `ICluster` of the CDK fits. */
export interface IAgentCluster extends IConstruct {
  readonly clusterName: string;
  readonly clusterArn: string;
}

export interface AgentClusterProps {
  /** The VPC that hosts run in. */
  readonly vpc: IVpc;

  /**
   * @default 'mngr'
   */
  readonly clusterName?: string;

  /**
   * Whether hosts may run on Fargate Spot, which costs about a third and can be taken away with two minutes' notice. A
   * host runs there only when its launch asks for it.
   *
   * @default true
   */
  readonly spot?: boolean;

  /**
   * CloudWatch Container Insights: CPU, memory and network metrics of the hosts, billed as custom metrics.
   *
   * @default ContainerInsights.ENABLED
   */
  readonly containerInsights?: ContainerInsights;

  /**
   * How sessions of ECS Exec are encrypted and recorded, for example `configuration` of an `ExecAudit`.
   *
   * @default - as ECS does by itself
   */
  readonly executeCommandConfiguration?: ExecuteCommandConfiguration;
}

/** The ECS cluster that hosts run in. It has no instances: all capacity is Fargate. */
export class AgentCluster extends Cluster {
  /**
   * Uses a cluster of the stack's account and region. Its capacity providers stay as they are, so Spot works if
   * FARGATE_SPOT is among them.
   */
  static fromClusterName(scope: Construct, id: string, clusterName: string): IAgentCluster {
    return new ImportedAgentCluster(scope, id, clusterName);
  }

  constructor(scope: Construct, id: string, props: AgentClusterProps) {
    const insights = props.containerInsights ?? ContainerInsights.ENABLED;
    super(scope, id, {
      vpc: props.vpc,
      clusterName: props.clusterName ?? 'mngr',
      containerInsightsV2: insights,
      enableFargateCapacityProviders: props.spot ?? true,
      executeCommandConfiguration: props.executeCommandConfiguration,
    });
    if (insights === ContainerInsights.DISABLED) {
      acknowledgeFinding(
        this,
        'AwsSolutions-ECS4',
        'The deployer switched Container Insights off to save its cost; the hosts still log to CloudWatch Logs.',
      );
    }
    referenceWeakly(this);
  }
}

class ImportedAgentCluster extends Construct implements IAgentCluster {
  readonly clusterArn: string;

  constructor(
    scope: Construct,
    id: string,
    readonly clusterName: string,
  ) {
    super(scope, id);
    this.clusterArn = Stack.of(this).formatArn({ service: 'ecs', resource: 'cluster', resourceName: clusterName });
  }
}
