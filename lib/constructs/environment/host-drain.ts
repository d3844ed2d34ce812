import type { CfnResource } from 'aws-cdk-lib';
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import type { HostDrainPropertiesInput } from '../../contract/host-drain';
import { HOST_DRAIN_RESOURCE_TYPE } from '../../contract/host-drain';
import { HOST_TAGS } from '../../contract/tags';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { allow } from '../checks/statement';
import { LambdaFunction } from '../lambda/lambda-function';
import type { IAgentCluster } from './agent-cluster';

export interface HostDrainProps {
  /** Where the hosts run. */
  readonly cluster: IAgentCluster;

  /** Their task definition family. */
  readonly family: string;

  /** What hosts need while they run: deleted after they have stopped. */
  readonly before: IConstruct[];

  /**
   * Whether running hosts are left alone. They then make the deletion of the stack fail before anything is deleted.
   *
   * @default false
   */
  readonly retainHosts?: boolean;

  /**
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

/** The longest that a Lambda function can run, and so the longest that hosts may take to stop. */
const TIMEOUT = Duration.minutes(15);

/**
 * Stops the environment's hosts when the stack is deleted, before anything that they need. Without it the operators'
 * policy and the reaper would go first, then the cluster would fail to delete, and the hosts would keep running without
 * either.
 */
export class HostDrain extends Construct {
  constructor(scope: Construct, id: string, props: HostDrainProps) {
    super(scope, id);
    const { cluster, family } = props;
    const stack = Stack.of(this);
    // An update may have replaced the cluster; its hosts are then stopped in the old one.
    const tasks = stack.formatArn({ service: 'ecs', resource: 'task', resourceName: '*' });
    const wildcard =
      'Task ids are made up at launch, and the cluster may have been replaced since; only tasks that are tagged as hosts can be stopped.';
    const handler = new LambdaFunction(this, 'Handler', {
      code: 'host-drain',
      description: `Stops the hosts of ${family} when their environment is deleted`,
      timeout: TIMEOUT,
      logRetention: props.logRetention,
    });
    for (const statement of [
      allow(handler, 'DescribeHosts', ['ecs:DescribeTasks'], [tasks], { wildcard }),
      allow(handler, 'StopHosts', ['ecs:StopTask'], [tasks], {
        conditions: { Null: { [`aws:ResourceTag/${HOST_TAGS.hostId}`]: 'false' } },
        wildcard,
      }),
      allow(handler, 'ListHosts', ['ecs:ListTasks'], ['*'], {
        wildcard:
          'ecs:ListTasks knows container instances as its only resource type, and Fargate has none; it reads only.',
      }),
    ]) {
      handler.role.addToPolicy(statement);
    }

    const resource = new CustomResource(this, 'Resource', {
      resourceType: HOST_DRAIN_RESOURCE_TYPE,
      serviceToken: handler.function.functionArn,
      serviceTimeout: TIMEOUT,
      properties: {
        Cluster: cluster.clusterName,
        TaskFamily: family,
        Retain: props.retainHosts ?? false,
      } satisfies HostDrainPropertiesInput,
    });
    resource.node.addDependency(handler, ...props.before);
    // "Dependency already enforced": the properties name some of them too.
    ignoreCfnLintRule(resource.node.defaultChild as CfnResource, 'W3005');
  }
}
