import { randomBytes } from 'node:crypto';
import type { ContainerDefinition, ContainerOverride, KeyValuePair, TaskDefinition } from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT } from '../../../contract/boot-variables';
import type { PreparedImage, TaskSpec } from '../../runtimes/runtime';
import type { TaskRecord } from './task-record';

/** Seconds from SIGTERM to SIGKILL when the container definition doesn't say (ECS API, ContainerDefinition.stopTimeout). */
const DEFAULT_STOP_TIMEOUT = 30;

const variables = (pairs: readonly KeyValuePair[] | undefined): Record<string, string> =>
  Object.fromEntries((pairs ?? []).map(({ name, value }) => [name ?? '', value ?? '']));

export const containerOf = (definition: TaskDefinition): ContainerDefinition =>
  (definition.containerDefinitions?.[0] ?? {}) as ContainerDefinition;

export const overrideOf = (record: TaskRecord, container: ContainerDefinition): ContainerOverride =>
  record.task.overrides?.containerOverrides?.find(({ name }) => name === container.name) ?? {};

export const stopTimeoutOf = (definition: TaskDefinition): number =>
  containerOf(definition).stopTimeout ?? DEFAULT_STOP_TIMEOUT;

/** What the runtime is asked to run: the definition with the call's overrides, and what Fargate adds. */
export function taskSpec(
  record: TaskRecord,
  definition: TaskDefinition,
  image: PreparedImage,
  region: string,
): TaskSpec {
  const container = containerOf(definition);
  const override = overrideOf(record, container);
  const environment: Record<string, string> = {
    AWS_REGION: region,
    AWS_DEFAULT_REGION: region,
    AWS_EXECUTION_ENV: 'AWS_ECS_FARGATE',
    ...variables(container.environment),
    ...variables(override.environment),
  };
  if (record.faults.wrongProof === true) environment[BOOT_ENVIRONMENT.bootNonce] = randomBytes(32).toString('hex');
  if (record.address === undefined) throw new Error(`task ${record.id} has no address yet`);
  return {
    taskId: record.id,
    image,
    address: record.address,
    environment,
    entryPoint: container.entryPoint,
    command: override.command ?? container.command,
    workingDirectory: container.workingDirectory,
    user: container.user,
    cpu: Number(record.task.cpu),
    memory: Number(record.task.memory),
    initProcess: container.linuxParameters?.initProcessEnabled === true,
    containerName: container.name ?? '',
  };
}

/** Log group and stream of the task's output, when its container logs to CloudWatch. */
export function logStreamOf(
  definition: TaskDefinition,
  taskId: string,
): { readonly group: string; readonly stream: string } | undefined {
  const container = containerOf(definition);
  const options = container.logConfiguration?.options ?? {};
  const group = options['awslogs-group'];
  if (container.logConfiguration?.logDriver !== 'awslogs' || group === undefined) return undefined;
  const prefix = options['awslogs-stream-prefix'];
  return { group, stream: prefix === undefined ? taskId : `${prefix}/${container.name}/${taskId}` };
}
