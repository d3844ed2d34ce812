import { randomBytes } from 'node:crypto';
import type { ContainerDefinition, ContainerOverride, KeyValuePair, TaskDefinition } from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT } from '../../../contract/boot-variables';
import type { PreparedImage, TaskMount, TaskSpec } from '../../runtimes/runtime';
import type { TaskRecord } from './task-record';

/** Seconds from SIGTERM to SIGKILL when the container definition doesn't say (ECS API, ContainerDefinition.stopTimeout). */
const DEFAULT_STOP_TIMEOUT = 30;

const variables = (pairs: readonly KeyValuePair[] | undefined): Record<string, string> =>
  Object.fromEntries((pairs ?? []).map(({ name, value }) => [name ?? '', value ?? '']));

export const containersOf = (definition: TaskDefinition): readonly ContainerDefinition[] =>
  definition.containerDefinitions ?? [];

export const overrideOf = (record: TaskRecord, container: ContainerDefinition): ContainerOverride =>
  record.task.overrides?.containerOverrides?.find(({ name }) => name === container.name) ?? {};

/** Seconds */
export const stopTimeoutOf = ({ stopTimeout }: ContainerDefinition): number => stopTimeout ?? DEFAULT_STOP_TIMEOUT;

/**
 * The id under which the runtime knows a task's container: the task's own for the first, another for each further one.
 */
export function runtimeIdOf(record: TaskRecord, containerName: string | undefined): string {
  const index = (record.task.containers ?? []).findIndex(({ name }) => name === containerName);
  return index > 0 ? `${index}-${record.id}` : record.id;
}

/** The ids under which the runtime knows the task's containers. */
export const runtimeIdsOf = (record: TaskRecord): readonly string[] =>
  (record.task.containers ?? []).map(({ name }) => runtimeIdOf(record, name));

/**
 * What the runtime is asked to run: the definition with the call's overrides, and what Fargate adds. `secrets` are
 * variables that neither of them has, `mounts` the folders of its volumes.
 */
export function taskSpec(
  record: TaskRecord,
  container: ContainerDefinition,
  image: PreparedImage,
  region: string,
  { secrets, mounts }: { readonly secrets: Readonly<Record<string, string>>; readonly mounts: readonly TaskMount[] },
): TaskSpec {
  const override = overrideOf(record, container);
  const environment: Record<string, string> = {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE',
    ...variables(container.environment),
    ...variables(override.environment),
    ...secrets,
  };
  if (record.faults.wrongProof === true) environment[BOOT_ENVIRONMENT.bootNonce] = randomBytes(32).toString('hex');
  if (record.address === undefined) throw new Error(`task ${record.id} has no address yet`);
  return {
    taskId: runtimeIdOf(record, container.name),
    image,
    address: record.address,
    environment,
    entryPoint: container.entryPoint,
    command: override.command ?? container.command,
    workingDirectory: container.workingDirectory,
    user: container.user,
    cpu: limitOf(override.cpu ?? container.cpu, record.task.cpu),
    memory: limitOf(override.memory ?? container.memory, record.task.memory),
    initProcess: container.linuxParameters?.initProcessEnabled === true,
    containerName: container.name ?? '',
    mounts,
    readOnlyRoot: container.readonlyRootFilesystem,
    network: (record.task.containers ?? []).length > 1 ? record.id : undefined,
  };
}

/** A container's own limit if it has one, otherwise the task's. */
const limitOf = (own: number | undefined, task: string | undefined): number =>
  own === undefined || own === 0 ? Number(task) : own;

/** Log group and stream of a container's output, when it logs to CloudWatch. */
export function logStreamOf(
  container: ContainerDefinition,
  record: TaskRecord,
): { readonly group: string; readonly stream: string } | undefined {
  const options = container.logConfiguration?.options ?? {};
  const group = options['awslogs-group'];
  if (container.logConfiguration?.logDriver !== 'awslogs' || group === undefined) return undefined;
  const prefix = options['awslogs-stream-prefix'];
  return {
    group,
    stream: prefix === undefined ? runtimeIdOf(record, container.name) : `${prefix}/${container.name}/${record.id}`,
  };
}
