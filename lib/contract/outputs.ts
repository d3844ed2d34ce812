/**
 * Outputs of the deployed stack. The launcher reads them if nothing else is configured, and people copy them. Lists are
 * comma-separated, booleans are `true` or `false`, numbers are decimal.
 */
export const STACK_OUTPUTS = {
  awsRegion: 'AwsRegion',
  ecsCluster: 'EcsCluster',
  /** The task definition's family. */
  taskDefinition: 'TaskDefinition',
  vpcId: 'VpcId',
  subnets: 'Subnets',
  securityGroups: 'SecurityGroups',
  assignPublicIp: 'AssignPublicIp',
  containerName: 'ContainerName',
  cpu: 'Cpu',
  memory: 'Memory',
  /** Role that the launcher assumes: `aws_role_arn`. */
  operatorRoleArn: 'OperatorRoleArn',
  operatorPolicyArn: 'OperatorPolicyArn',
  taskRoleArn: 'TaskRoleArn',
  executionRoleArn: 'ExecutionRoleArn',
  defaultIdleTimeout: 'DefaultIdleTimeout',
  /** Seconds. Present only if the environment limits the age of its hosts. */
  defaultMaxAge: 'DefaultMaxAge',
  architecture: 'Architecture',
  logGroup: 'LogGroup',
  /** Bastions on the way to the hosts: `proxy_jump`. Present only if the environment names some. */
  proxyJump: 'ProxyJump',
  image: 'Image',
  /** The complete `[providers.fargate]` block, ready to paste. */
  providerBlock: 'ProviderBlock',
} as const;

/** Name of the stack that `cdk deploy` creates if no prefix is given. */
export const DEFAULT_STACK_NAME = 'mngr-fargate';
