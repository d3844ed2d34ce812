import type { CfnResource } from 'aws-cdk-lib';
import { CustomResource, Duration, Stack } from 'aws-cdk-lib';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { ECS_SERVICE_ROLE_RESOURCE_TYPE } from '../../contract/host-drain';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { allow } from '../checks/statement';
import { LambdaFunction } from '../lambda/lambda-function';

export interface EcsServiceRoleProps {
  /**
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

const TIMEOUT = Duration.minutes(1);

/**
 * Amazon ECS's service-linked role, which a new account doesn't have: the first cluster with capacity providers is
 * refused there ("Unable to assume the service linked role"). Whatever depends on this is created after the role.
 */
export class EcsServiceRole extends Construct {
  constructor(scope: Construct, id: string, props: EcsServiceRoleProps = {}) {
    super(scope, id);
    const role = Stack.of(this).formatArn({
      service: 'iam',
      region: '',
      resource: 'role',
      resourceName: 'aws-service-role/ecs.amazonaws.com/AWSServiceRoleForECS',
    });
    const handler = new LambdaFunction(this, 'Handler', {
      code: 'ecs-service-role',
      description: 'Makes the service-linked role of Amazon ECS where there is none',
      timeout: TIMEOUT,
      logRetention: props.logRetention,
    });
    handler.role.addToPolicy(
      allow(handler, 'CreateServiceRole', ['iam:CreateServiceLinkedRole'], [role], {
        conditions: { StringEquals: { 'iam:AWSServiceName': 'ecs.amazonaws.com' } },
      }),
    );
    const resource = new CustomResource(this, 'Resource', {
      resourceType: ECS_SERVICE_ROLE_RESOURCE_TYPE,
      serviceToken: handler.function.functionArn,
      serviceTimeout: TIMEOUT.plus(Duration.minutes(1)),
    });
    resource.node.addDependency(handler);
    // "Dependency already enforced": the properties name some of them too.
    ignoreCfnLintRule(resource.node.defaultChild as CfnResource, 'W3005');
  }
}
