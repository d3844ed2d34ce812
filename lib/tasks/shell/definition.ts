import type { ContainerDefinition, RegisterTaskDefinitionCommandInput, TaskDefinition } from '@aws-sdk/client-ecs';
import { fargateSizeProblem } from '../../contract/fargate-sizes';
import { MngrFargateError } from '../../contract/errors';
import { SHELL_FAMILY_SUFFIX } from '../../contract/shell-tasks';
import { WATCHER_ENTRY_POINT } from './watcher';

export interface ShellChanges {
  /** Image of the shell's container; default: the definition's. */
  readonly image?: string;
  /** CPU units; default: the definition's. */
  readonly cpu?: number;
  /** MiB; default: the definition's. */
  readonly memory?: number;
}

/** ECS API, RegisterTaskDefinition. Characters. */
const MAX_FAMILY = 255;

/**
 * The definition of a shell's task: that of a service with another main process in one container. It has a family of its
 * own, so that nothing that starts the newest revision of the service's family can start it. Throws `usage` for a size
 * that Fargate doesn't have.
 */
export function shellDefinition(
  definition: TaskDefinition,
  container: string,
  changes: ShellChanges = {},
): RegisterTaskDefinitionCommandInput {
  const { family = '', containerDefinitions = [], cpu, memory } = definition;
  const resized = changes.cpu !== undefined || changes.memory !== undefined;
  const wanted = { cpu: changes.cpu ?? Number(cpu), memory: changes.memory ?? Number(memory) };
  const problem = resized ? fargateSizeProblem(wanted.cpu, wanted.memory) : undefined;
  if (problem !== undefined) throw new MngrFargateError('usage', problem, { hint: 'give both --cpu and --memory' });
  return {
    family: `${family.slice(0, MAX_FAMILY - SHELL_FAMILY_SUFFIX.length)}${SHELL_FAMILY_SUFFIX}`,
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
      one.name === container ? shellContainer(one, resized, changes.image) : beside(one, container),
    ),
  };
}

/** Without a health check, since what it asks doesn't run. */
function shellContainer(
  container: ContainerDefinition,
  resized: boolean,
  image = container.image,
): ContainerDefinition {
  const { cpu, memory, memoryReservation, healthCheck: _, ...rest } = container;
  return {
    ...rest,
    image,
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
