import type { ContainerDefinition, RegisterTaskDefinitionCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { fargateSizeProblem } from '../../contract/fargate-sizes';
import { MngrFargateError } from '../../contract/errors';
import { WATCHER_ENTRY_POINT } from './watcher';

export interface ShellSize {
  /** CPU units; default: the definition's. */
  readonly cpu?: number;
  /** MiB; default: the definition's. */
  readonly memory?: number;
}

/** ECS API, RegisterTaskDefinition. Characters. */
const MAX_FAMILY = 255;
const SUFFIX = '-shell';

/**
 * The definition of a shell's task: that of a service with another main process in one container. It has a family of its
 * own, so that nothing that starts the newest revision of the service's family can start it. Throws `usage` for a size
 * that Fargate doesn't have.
 */
export function shellDefinition(
  definition: TaskDefinition,
  container: string,
  size: ShellSize = {},
): RegisterTaskDefinitionCommandInput {
  const { family = '', containerDefinitions = [], cpu, memory } = definition;
  const wanted = { cpu: size.cpu ?? Number(cpu), memory: size.memory ?? Number(memory) };
  const problem =
    size.cpu === undefined && size.memory === undefined ? undefined : fargateSizeProblem(wanted.cpu, wanted.memory);
  if (problem !== undefined) throw new MngrFargateError('usage', problem, { hint: 'give both --cpu and --memory' });
  const resized = size.cpu !== undefined || size.memory !== undefined;
  return {
    family: `${family.slice(0, MAX_FAMILY - SUFFIX.length)}${SUFFIX}`,
    taskRoleArn: definition.taskRoleArn,
    executionRoleArn: definition.executionRoleArn,
    networkMode: definition.networkMode,
    volumes: definition.volumes,
    requiresCompatibilities: definition.requiresCompatibilities,
    runtimePlatform: definition.runtimePlatform,
    proxyConfiguration: definition.proxyConfiguration,
    ephemeralStorage: definition.ephemeralStorage,
    pidMode: definition.pidMode,
    ipcMode: definition.ipcMode,
    cpu: resized ? String(wanted.cpu) : cpu,
    memory: resized ? String(wanted.memory) : memory,
    containerDefinitions: containerDefinitions.map((one) =>
      one.name === container ? shellContainer(one, resized) : beside(one, container),
    ),
  };
}

/** Without a health check, since what it asks doesn't run. */
function shellContainer(container: ContainerDefinition, resized: boolean): ContainerDefinition {
  const { cpu, memory, memoryReservation, healthCheck: _, ...rest } = container;
  return {
    ...rest,
    ...(resized ? {} : { cpu, memory, memoryReservation }),
    essential: true,
    entryPoint: [...WATCHER_ENTRY_POINT],
    command: [],
  };
}

/** A container beside it waits for the start only: the watcher is never healthy, and it ends with the task. */
function beside(container: ContainerDefinition, shell: string): ContainerDefinition {
  const dependsOn = container.dependsOn?.map((one) =>
    one.containerName === shell ? { ...one, condition: 'START' as const } : one,
  );
  return dependsOn === undefined ? container : { ...container, dependsOn };
}
