import { Duration, RemovalPolicy, Size, Stack } from 'aws-cdk-lib';
import type {
  ContainerDefinition,
  CpuArchitecture,
  FargateTaskDefinition,
  FargateTaskDefinitionProps,
} from 'aws-cdk-lib/aws-ecs';
import { AwsLogDriverMode, LogDrivers, OperatingSystemFamily, Protocol } from 'aws-cdk-lib/aws-ecs';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { Construct } from 'constructs';
import { EPHEMERAL_STORAGE, ephemeralStorageProblem, fargateSizeProblem } from '../../contract/fargate-sizes';
import type { IAgentImage } from './agent-image';

/** Name of the container that runs sshd and the agents. */
export const AGENT_CONTAINER_NAME = 'agent';

/** Streams are called `host/agent/<task id>`. */
export const LOG_STREAM_PREFIX = 'host';

interface HostSize {
  readonly family: string;
  readonly cpu: number;
  readonly memoryLimitMiB: number;
  readonly architecture: CpuArchitecture;
}

/**
 * What the task definitions of hosts have in common; without `storage` (GiB) a host has what Fargate includes. Throws for a
 * size that Fargate doesn't have.
 */
export function hostDefinition(
  { family, cpu, memoryLimitMiB, architecture }: HostSize,
  storage: number = EPHEMERAL_STORAGE.included,
): FargateTaskDefinitionProps {
  const problem = fargateSizeProblem(cpu, memoryLimitMiB) ?? ephemeralStorageProblem(storage);
  if (problem !== undefined) throw new Error(problem);
  return {
    family,
    cpu,
    memoryLimitMiB,
    ephemeralStorageGiB: storage === EPHEMERAL_STORAGE.included ? undefined : storage,
    runtimePlatform: { cpuArchitecture: architecture, operatingSystemFamily: OperatingSystemFamily.LINUX },
  };
}

export const hostLogGroup = (scope: Construct, retention: RetentionDays = RetentionDays.TWO_WEEKS): LogGroup =>
  new LogGroup(scope, 'Logs', { retention, removalPolicy: RemovalPolicy.DESTROY });

/** Adds the container that runs sshd. */
export const addHostContainer = (
  taskDefinition: FargateTaskDefinition,
  image: IAgentImage,
  logGroup: ILogGroup,
): ContainerDefinition =>
  taskDefinition.addContainer(AGENT_CONTAINER_NAME, {
    containerName: AGENT_CONTAINER_NAME,
    image: image.containerImage,
    essential: true,
    // The image brings its own init. ECS's would keep the boot nonce in the environment of process 1.
    stopTimeout: Duration.seconds(30),
    portMappings: [{ containerPort: 22, protocol: Protocol.TCP, name: 'ssh' }],
    logging: LogDrivers.awsLogs({
      logGroup,
      streamPrefix: LOG_STREAM_PREFIX,
      mode: AwsLogDriverMode.NON_BLOCKING,
      maxBufferSize: Size.mebibytes(4),
    }),
  });

/** ARN of every revision of a family, for policies. */
export const anyRevisionArnOf = (scope: Construct, family: string): string =>
  Stack.of(scope).formatArn({ service: 'ecs', resource: 'task-definition', resourceName: `${family}:*` });
