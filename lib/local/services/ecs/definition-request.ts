import type { ContainerDefinition, RegisterTaskDefinitionRequest } from '@aws-sdk/client-ecs';
import { EPHEMERAL_STORAGE, fargateSizeProblem } from '../../../contract/fargate-sizes';
import { clientError } from './errors';
import { parseCpu, parseMemory } from './sizes';
import { validateDependencies } from './container-dependencies';
import { validateTags } from './tags';
import { VOLUME_NAME } from './container-volumes';

/** ECS API, RegisterTaskDefinition.family and ContainerDefinition.name. */
const NAME = /^[A-Za-z0-9_-]{1,255}$/;
/** Seconds; Fargate's most (ECS API, ContainerDefinition.stopTimeout). */
const MAX_STOP_TIMEOUT = 120;

/** ECS service quotas, "Number of containers in a task definition". */
const MAX_CONTAINERS = 10;

/** Container settings that Fargate doesn't have (ECS developer guide, "Task definition differences for Fargate"). */
const NOT_ON_FARGATE = [
  'disableNetworking',
  'dnsSearchDomains',
  'dnsServers',
  'dockerSecurityOptions',
  'extraHosts',
  'hostname',
  'links',
] as const;

/** Throws ECS's error for an invalid task definition. */
export function validateDefinition(request: RegisterTaskDefinitionRequest): void {
  const { family = '', containerDefinitions = [], requiresCompatibilities = [] } = request;
  if (!NAME.test(family)) {
    throw clientError(
      `Family "${family}" is invalid: up to 255 letters (uppercase and lowercase), numbers, underscores, and hyphens are allowed.`,
    );
  }
  if (containerDefinitions.length > MAX_CONTAINERS) {
    throw clientError(`A task definition can have at most ${MAX_CONTAINERS} containers.`);
  }
  if (containerDefinitions.length === 0) throw clientError('Container list cannot be empty.');
  validateTags(request.tags ?? []);
  for (const container of containerDefinitions) validateContainer(container);
  const names = new Set(containerDefinitions.map(({ name }) => name));
  if (names.size !== containerDefinitions.length) throw clientError('Container.name must be unique.');
  if (!containerDefinitions.some(({ essential }) => essential !== false)) {
    throw clientError('At least one essential container must be specified.');
  }
  if (request.executionRoleArn === undefined && containerDefinitions.some(({ secrets = [] }) => secrets.length > 0)) {
    throw clientError(
      "When you are specifying container secrets, you must also specify a value for 'executionRoleArn'.",
    );
  }
  validateVolumes(request, containerDefinitions);
  if (requiresCompatibilities.includes('FARGATE')) validateFargate(request, containerDefinitions);
  validateDependencies(containerDefinitions);
}

function validateVolumes(
  { volumes = [] }: RegisterTaskDefinitionRequest,
  containers: readonly ContainerDefinition[],
): void {
  const names = new Set<string>();
  for (const { name = '', efsVolumeConfiguration: efs } of volumes) {
    if (!VOLUME_NAME.test(name)) {
      throw clientError(
        `Volume name "${name}" is invalid: up to 255 letters, numbers, underscores, and hyphens are allowed.`,
      );
    }
    if (names.has(name)) throw clientError(`Volume.name must be unique: ${name}.`);
    names.add(name);
    if (efs?.authorizationConfig === undefined) continue;
    if (efs.transitEncryption !== 'ENABLED') {
      throw clientError(`Transit encryption must be enabled for the volume ${name}, which uses EFS authorization.`);
    }
    if (efs.authorizationConfig.accessPointId !== undefined && (efs.rootDirectory ?? '/') !== '/') {
      throw clientError(`The root directory of the volume ${name} must be omitted or /, since it has an access point.`);
    }
  }
  for (const { mountPoints = [] } of containers) {
    for (const { sourceVolume = '' } of mountPoints) {
      if (!names.has(sourceVolume)) throw clientError(`Unknown volume '${sourceVolume}'.`);
    }
  }
}

function validateContainer({ name, image, stopTimeout, secrets = [], environment = [] }: ContainerDefinition): void {
  if (name === undefined || name === '') throw clientError('Container.name should not be null or empty.');
  if (!NAME.test(name)) throw clientError(`Container.name "${name}" contains invalid characters.`);
  if (image === undefined || image === '') throw clientError('Container.image should not be null or empty.');
  if (stopTimeout !== undefined && stopTimeout < 0) throw clientError('Container.stopTimeout can not be negative.');
  const taken = new Set(environment.map((variable) => variable.name));
  for (const secret of secrets) {
    if (taken.has(secret.name)) {
      throw clientError(
        `The secret name must be unique and not shared with any new or existing environment variables set on the container, such as '${secret.name}'.`,
      );
    }
    taken.add(secret.name);
  }
}

function validateFargate(request: RegisterTaskDefinitionRequest, containers: readonly ContainerDefinition[]): void {
  if (request.networkMode !== 'awsvpc') throw clientError("Fargate only supports network mode 'awsvpc'.");
  const cpu = parseCpu(request.cpu);
  const memory = parseMemory(request.memory);
  if (cpu === undefined) throw clientError("Fargate requires that 'cpu' be defined at the task level.");
  if (memory === undefined) throw clientError("Fargate requires that 'memory' be defined at the task level.");
  if (fargateSizeProblem(cpu, memory) !== undefined) {
    throw clientError(
      `No Fargate configuration exists for given values: ${cpu} CPU, ${memory} memory. ` +
        'See the Amazon ECS documentation for the valid values.',
    );
  }
  if (request.ipcMode !== undefined) throw clientError('IPC mode is not supported on Fargate.');
  if (request.pidMode !== undefined && request.pidMode !== 'task') {
    throw clientError("Fargate only supports pid mode 'task'.");
  }
  if ((request.placementConstraints ?? []).length > 0) {
    throw clientError('Fargate compatible task definitions do not support placement constraints.');
  }
  const storage = request.ephemeralStorage?.sizeInGiB;
  const { min, max } = EPHEMERAL_STORAGE;
  if (storage !== undefined && (storage < min || storage > max)) {
    throw clientError(`Invalid setting for ephemeralStorage: the range of supported values is ${min}-${max} GiB.`);
  }
  for (const container of containers) validateFargateContainer(container, { cpu, memory });
}

function validateFargateContainer(
  container: ContainerDefinition,
  task: { readonly cpu: number; readonly memory: number },
): void {
  const { name, privileged, linuxParameters, stopTimeout } = container;
  if (privileged === true)
    throw clientError('Fargate compatible task definitions do not support privileged containers.');
  for (const setting of NOT_ON_FARGATE) {
    if (container[setting] === undefined) continue;
    throw clientError(`Fargate compatible task definitions do not support ${setting} (container ${name}).`);
  }
  if (linuxParameters?.devices !== undefined || linuxParameters?.tmpfs !== undefined) {
    throw clientError('Fargate compatible task definitions do not support devices or tmpfs.');
  }
  if (linuxParameters?.sharedMemorySize !== undefined) {
    throw clientError('Fargate compatible task definitions do not support sharedMemorySize.');
  }
  const added = linuxParameters?.capabilities?.add ?? [];
  const refused = added.find((capability) => capability !== 'SYS_PTRACE');
  if (refused !== undefined) throw clientError(`Fargate does not support adding the capability ${refused}.`);
  if ((stopTimeout ?? 0) > MAX_STOP_TIMEOUT) {
    throw clientError(`stopTimeout must be at most ${MAX_STOP_TIMEOUT} seconds on Fargate, not ${stopTimeout}.`);
  }
  if ((container.memory ?? 0) > task.memory) {
    throw clientError(`The 'memory' setting for container '${name}' is greater than for the task.`);
  }
  if ((container.cpu ?? 0) > task.cpu) {
    throw clientError(`The 'cpu' setting for container '${name}' is greater than for the task.`);
  }
}
