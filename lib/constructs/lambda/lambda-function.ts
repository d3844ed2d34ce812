import type { CfnResource } from 'aws-cdk-lib';
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Effect, PolicyStatement, Role, ServicePrincipal } from 'aws-cdk-lib/aws-iam';
import type { CfnFunction } from 'aws-cdk-lib/aws-lambda';
import { Architecture, Function, LoggingFormat, Runtime } from 'aws-cdk-lib/aws-lambda';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import { ASSET_RESOURCE_METADATA_ENABLED_CONTEXT } from 'aws-cdk-lib/cx-api';
import { Construct } from 'constructs';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { lambdaCode } from './lambda-code';
import { allow } from '../checks/statement';

export interface LambdaFunctionProps {
  /** Folder below `lambda/`. */
  readonly code: string;

  /**
   * The exported function.
   *
   * @default 'handler'
   */
  readonly handler?: string;

  readonly description: string;

  /** What the function may do, in addition to writing its log. */
  readonly statements?: readonly PolicyStatement[];

  /**
   * @default - none
   */
  readonly environment?: Readonly<Record<string, string>>;

  /**
   * @default Duration.minutes(1)
   */
  readonly timeout?: Duration;

  /**
   * Memory in MiB. Lambda gives processor time in proportion.
   *
   * @default 256
   */
  readonly memorySize?: number;

  /**
   * How `console` writes. Text for functions whose log lines are whole JSON documents, metrics among them.
   *
   * @default LoggingFormat.JSON
   */
  readonly loggingFormat?: LoggingFormat;

  /**
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;

  /**
   * Puts the function into a network. It then reaches nothing else, unless that network has a way out.
   *
   * @default - none
   */
  readonly network?: { readonly subnetIds: readonly string[]; readonly securityGroup: ISecurityGroup };
}

/** Those of AWSLambdaVPCAccessExecutionRole (Lambda developer guide, "Giving Lambda functions access to a VPC"). */
const NETWORK_ACTIONS = [
  'ec2:CreateNetworkInterface',
  'ec2:DescribeNetworkInterfaces',
  'ec2:DescribeSubnets',
  'ec2:DeleteNetworkInterface',
  'ec2:AssignPrivateIpAddresses',
  'ec2:UnassignPrivateIpAddresses',
];

/** One of this package's handlers as a Lambda function, with a role and a log group of its own. */
export class LambdaFunction extends Construct {
  readonly function: Function;
  readonly role: Role;
  readonly logGroup: LogGroup;

  constructor(scope: Construct, id: string, props: LambdaFunctionProps) {
    super(scope, id);
    // Metadata for `sam local`, which the CDK's command line asks for: it would make the template differ there.
    this.node.setContext(ASSET_RESOURCE_METADATA_ENABLED_CONTEXT, false);
    this.logGroup = new LogGroup(this, 'Logs', {
      retention: props.logRetention ?? RetentionDays.TWO_WEEKS,
      removalPolicy: RemovalPolicy.DESTROY,
    });
    this.role = new Role(this, 'Role', {
      assumedBy: new ServicePrincipal('lambda.amazonaws.com'),
      description: props.description,
    });
    this.logGroup.grantWrite(this.role);
    for (const statement of props.statements ?? []) this.role.addToPolicy(statement);
    this.function = new Function(this, 'Function', {
      runtime: Runtime.NODEJS_24_X,
      // The one that Lambda has in every region.
      architecture: Architecture.X86_64,
      code: lambdaCode(props.code),
      handler: `index.${props.handler ?? 'handler'}`,
      description: props.description,
      role: this.role,
      logGroup: this.logGroup,
      loggingFormat: props.loggingFormat ?? LoggingFormat.JSON,
      timeout: props.timeout ?? Duration.minutes(1),
      memorySize: props.memorySize ?? 256,
      environment: { ...props.environment },
    });
    // "Dependency already enforced": the CDK writes it for the role's policy, and the role comes along.
    ignoreCfnLintRule(this.function.node.defaultChild as CfnResource, 'W3005');
    if (props.network !== undefined) this.enter(props.network);
  }

  /** The resource only needs ids, so that it also works in networks that were imported with nothing else. */
  private enter({ subnetIds, securityGroup }: NonNullable<LambdaFunctionProps['network']>): void {
    (this.function.node.defaultChild as CfnFunction).vpcConfig = {
      subnetIds: [...subnetIds],
      securityGroupIds: [securityGroup.securityGroupId],
    };
    this.role.addToPolicy(
      allow(this, 'WorkInNetwork', NETWORK_ACTIONS, ['*'], {
        wildcard: 'Lambda makes the interface of a function in a VPC in its name, and the id is not known before.',
      }),
    );
    // Lambda needs these; the function's own code doesn't. Its calls, and only they, have this key (Lambda developer guide,
    // "Using source function ARN to control function access behavior").
    this.role.addToPolicy(
      new PolicyStatement({
        sid: 'KeepNetworkFromOwnCode',
        effect: Effect.DENY,
        actions: NETWORK_ACTIONS,
        resources: ['*'],
        conditions: { Null: { 'lambda:SourceFunctionArn': 'false' } },
      }),
    );
  }
}
