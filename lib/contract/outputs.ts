/**
 * Outputs of the deployed stack: what the launcher reads when nothing else is configured, and what a person pastes.
 * Lists are comma-separated, booleans `true`/`false`, numbers decimal.
 */
export const STACK_OUTPUTS = {
  awsRegion: 'AwsRegion',
  ecsCluster: 'EcsCluster',
  /** The task definition's family. */
  taskDefinition: 'TaskDefinition',
  subnets: 'Subnets',
  securityGroups: 'SecurityGroups',
  assignPublicIp: 'AssignPublicIp',
  containerName: 'ContainerName',
  cpu: 'Cpu',
  memory: 'Memory',
  /** Role that the launcher assumes; becomes `aws_role_arn`. */
  operatorRoleArn: 'OperatorRoleArn',
  operatorPolicyArn: 'OperatorPolicyArn',
  taskRoleArn: 'TaskRoleArn',
  executionRoleArn: 'ExecutionRoleArn',
  defaultIdleTimeout: 'DefaultIdleTimeout',
  /** Present only when the environment limits the hosts' age. Seconds. */
  defaultMaxAge: 'DefaultMaxAge',
  architecture: 'Architecture',
  logGroup: 'LogGroup',
  image: 'Image',
  /** The complete `[providers.fargate]` block, ready to paste. */
  providerBlock: 'ProviderBlock',
} as const;

/** Name of the stack that `cdk deploy` makes when no prefix is given. */
export const DEFAULT_STACK_NAME = 'mngr-fargate';
