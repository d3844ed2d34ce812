import type { AwsVpcConfiguration, RunTaskRequest, TaskDefinition, TaskOverride } from '@aws-sdk/client-ecs';
import { EPHEMERAL_STORAGE, ephemeralStorageProblem, fargateSizeProblem } from '../../../contract/fargate-sizes';
import type { Network } from '../ec2/network';
import type { EcsCluster } from './clusters';
import { invalidParameter, platformUnknown } from './errors';
import { parseCpu, parseMemory } from './sizes';
import { validateTags } from './tags';
import type { TaskNetworking } from './task-record';

/** ECS API, RunTask. */
const MAX_COUNT = 10;
/** Characters. */
const MAX_OVERRIDES = 8192;
const MAX_STARTED_BY = 128;
const MAX_CLIENT_TOKEN = 64;
const MAX_GROUP = 255;
/** ECS API, AwsVpcConfiguration. */
const MAX_SUBNETS = 16;
const MAX_SECURITY_GROUPS = 5;

/** Platform versions of Fargate for Linux that new tasks can have; LATEST is the last of them. */
const PLATFORM_VERSIONS = ['1.3.0', '1.4.0'];

/** What a valid RunTask request asks for. */
export interface ValidatedRunTask {
  readonly count: number;
  readonly cpu: number;
  readonly memory: number;
  readonly ephemeralStorageGib: number;
  readonly launchType: 'FARGATE';
  readonly capacityProvider: string | undefined;
  readonly platformVersion: string;
  readonly networking: Omit<TaskNetworking, 'subnetId'> & { readonly subnets: readonly string[] };
  readonly taskRoleArn: string | undefined;
  readonly executionRoleArn: string | undefined;
}

/** Throws ECS's error for an invalid request; a request that passes can be launched. */
export function validateRunTask(
  request: RunTaskRequest,
  definition: TaskDefinition,
  cluster: EcsCluster,
  network: Network,
): ValidatedRunTask {
  const count = request.count ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > MAX_COUNT) {
    throw invalidParameter(`Count must be between 1 and ${MAX_COUNT}, not ${count}.`);
  }
  validateTexts(request);
  validateTags(request.tags ?? []);
  if (request.propagateTags !== undefined && request.propagateTags !== 'TASK_DEFINITION') {
    throw invalidParameter(`Invalid value for propagateTags: ${request.propagateTags}. RunTask knows TASK_DEFINITION.`);
  }
  validateOverrides(request.overrides, definition);
  if ((request.placementConstraints ?? []).length + (request.placementStrategy ?? []).length > 0) {
    throw invalidParameter('Placement constraints and strategies are not supported with FARGATE launch type.');
  }
  if ((request.volumeConfigurations ?? []).length > 0) {
    throw invalidParameter('The local endpoint has no EBS volumes: volumeConfigurations can not be honoured.');
  }
  const capacityProvider = capacityOf(request, cluster);
  if (definition.compatibilities?.includes('FARGATE') !== true) {
    throw invalidParameter('Task definition does not support launch_type FARGATE.');
  }
  return {
    count,
    ...sizesOf(request, definition),
    launchType: 'FARGATE',
    capacityProvider,
    platformVersion: platformVersionOf(request.platformVersion),
    networking: networkingOf(request.networkConfiguration?.awsvpcConfiguration, network),
    taskRoleArn: request.overrides?.taskRoleArn ?? definition.taskRoleArn,
    executionRoleArn: request.overrides?.executionRoleArn ?? definition.executionRoleArn,
  };
}

function validateTexts({ startedBy, clientToken, group }: RunTaskRequest): void {
  if (startedBy !== undefined && (startedBy.length > MAX_STARTED_BY || !/^[A-Za-z0-9\-/_]*$/.test(startedBy))) {
    throw invalidParameter(
      `startedBy "${startedBy}" is invalid: up to ${MAX_STARTED_BY} letters, numbers, hyphens, forward slashes and underscores are allowed`,
    );
  }
  if (clientToken !== undefined && !/^[\x21-\x7e]{1,64}$/.test(clientToken)) {
    throw invalidParameter(`clientToken must be 1 to ${MAX_CLIENT_TOKEN} characters of printable ASCII (33-126)`);
  }
  if (group !== undefined && group.length > MAX_GROUP) {
    throw invalidParameter(`group must be at most ${MAX_GROUP} characters`);
  }
  if (group?.startsWith('service:') === true) {
    throw invalidParameter('Invalid namespace for group: service is reserved.');
  }
}

function validateOverrides(overrides: TaskOverride | undefined, definition: TaskDefinition): void {
  if (overrides === undefined) return;
  if (JSON.stringify(overrides).length > MAX_OVERRIDES) {
    throw invalidParameter(`Container Overrides length must be at most ${MAX_OVERRIDES}`);
  }
  for (const override of overrides.containerOverrides ?? []) {
    if (override.name === undefined || override.name === '') {
      throw invalidParameter('Override container name can not be blank.');
    }
    if (definition.containerDefinitions?.some(({ name }) => name === override.name) !== true) {
      throw invalidParameter(`Override for container named ${override.name} is not a container in the TaskDefinition.`);
    }
    for (const { name } of override.environment ?? []) {
      if (name === undefined || name === '') throw invalidParameter('Environment variable name can not be blank.');
    }
  }
  const storage = overrides.ephemeralStorage?.sizeInGiB;
  const problem = storage === undefined ? undefined : ephemeralStorageProblem(storage);
  if (problem !== undefined) throw invalidParameter(`Invalid setting for ephemeralStorage: ${problem}`);
}

/** The capacity provider, or undefined for launchType FARGATE. */
function capacityOf({ launchType, capacityProviderStrategy }: RunTaskRequest, cluster: EcsCluster): string | undefined {
  const given = capacityProviderStrategy ?? [];
  if (launchType !== undefined && given.length > 0) {
    throw invalidParameter(
      'Specifying both a launch type and capacity provider strategy is not supported. Remove one and try again.',
    );
  }
  if (launchType === 'FARGATE') return undefined;
  const strategy = launchType === undefined && given.length === 0 ? cluster.defaultStrategy : given;
  if (strategy.length === 0) throw invalidParameter('No Container Instances were found in your cluster.');
  for (const { capacityProvider = '' } of strategy) {
    if (!cluster.capacityProviders.includes(capacityProvider)) {
      throw invalidParameter(
        'The specified capacity provider strategy cannot contain a capacity provider that is not associated with the cluster. ' +
          'Associate the capacity provider with the cluster and try again.',
      );
    }
  }
  const chosen = strategy.toSorted((a, b) => (b.base ?? 0) - (a.base ?? 0) || (b.weight ?? 1) - (a.weight ?? 1))[0];
  return chosen?.capacityProvider;
}

function sizesOf(
  { overrides }: RunTaskRequest,
  definition: TaskDefinition,
): Pick<ValidatedRunTask, 'cpu' | 'memory' | 'ephemeralStorageGib'> {
  const cpu = parseCpu(overrides?.cpu ?? definition.cpu);
  const memory = parseMemory(overrides?.memory ?? definition.memory);
  if (cpu === undefined) throw invalidParameter("Invalid 'cpu' setting for task.");
  if (memory === undefined) throw invalidParameter("Invalid 'memory' setting for task.");
  if (fargateSizeProblem(cpu, memory) !== undefined) {
    throw invalidParameter(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. ` +
        'See the Amazon ECS documentation for the valid values.',
    );
  }
  const storage =
    overrides?.ephemeralStorage?.sizeInGiB ?? definition.ephemeralStorage?.sizeInGiB ?? EPHEMERAL_STORAGE.included;
  return { cpu, memory, ephemeralStorageGib: storage };
}

function platformVersionOf(requested: string | undefined): string {
  if (requested === undefined || requested === '' || requested === 'LATEST') return PLATFORM_VERSIONS.at(-1) as string;
  if (PLATFORM_VERSIONS.includes(requested)) return requested;
  throw platformUnknown();
}

function networkingOf(
  configuration: AwsVpcConfiguration | undefined,
  network: Network,
): ValidatedRunTask['networking'] {
  if (configuration === undefined) {
    throw invalidParameter("Network Configuration must be provided when networkMode 'awsvpc' is specified.");
  }
  const { subnets = [], securityGroups = [], assignPublicIp } = configuration;
  if (subnets.length === 0) throw invalidParameter('subnets can not be empty.');
  if (subnets.length > MAX_SUBNETS) throw invalidParameter(`subnets can have at most ${MAX_SUBNETS} items.`);
  if (securityGroups.length > MAX_SECURITY_GROUPS) {
    throw invalidParameter(`securityGroups can have at most ${MAX_SECURITY_GROUPS} items.`);
  }
  if (assignPublicIp !== undefined && assignPublicIp !== 'ENABLED' && assignPublicIp !== 'DISABLED') {
    throw invalidParameter(`assignPublicIp must be ENABLED or DISABLED, not ${String(assignPublicIp)}.`);
  }
  for (const id of subnets) {
    if (network.subnets.has(id)) continue;
    throw invalidParameter(
      `Error retrieving subnet information for [${id}]: The subnet ID '${id}' does not exist (ErrorCode: InvalidSubnetID.NotFound)`,
    );
  }
  const vpcs = new Set(subnets.map((id) => network.subnets.get(id)?.vpcId));
  if (vpcs.size > 1) throw invalidParameter('subnets must all be in the same VPC.');
  const [vpcId = ''] = vpcs;
  for (const id of securityGroups) {
    const group = network.securityGroups.get(id);
    if (group === undefined) {
      throw invalidParameter(
        `Error retrieving security group information for [${id}]: The security group '${id}' does not exist (ErrorCode: InvalidGroup.NotFound)`,
      );
    }
    if (group.vpcId !== vpcId) {
      throw invalidParameter(`Security group ${id} does not appear to belong to the same VPC as the input subnets.`);
    }
  }
  const defaults = [network.defaultGroupOf(vpcId ?? '')?.id].filter((id) => id !== undefined);
  return {
    subnets,
    securityGroups: securityGroups.length === 0 ? defaults : securityGroups,
    assignPublicIp: assignPublicIp === 'ENABLED',
  };
}
