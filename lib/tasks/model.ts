import type { Container, Task } from '@aws-sdk/client-ecs';
import { clusterNameOf, parseTaskArn } from '../contract/task-arn';
import { familyOf } from '../contract/task-definition-family';

/** A container of a task as ECS describes it. */
export interface TaskContainer {
  readonly name: string;
  /** ECS's state: PENDING, RUNNING, STOPPED. */
  readonly state: string;
  /** Null until the container has started. */
  readonly runtimeId: string | null;
  readonly image: string | null;
  readonly exitCode: number | null;
  /** Why the container stopped or couldn't start. */
  readonly reason: string | null;
  /** ECS: HEALTHY, UNHEALTHY or UNKNOWN. */
  readonly health: string;
  /** State of ECS Exec's agent in it: PENDING, RUNNING, STOPPED; null where there is none. */
  readonly execAgent: string | null;
}

/** A task of any kind, as commands show it. Times are ISO 8601. */
export interface TaskSummary {
  readonly taskArn: string;
  readonly taskId: string;
  /** Name of the cluster. */
  readonly cluster: string;
  /** Name of the service that started it; null for a task of its own. */
  readonly service: string | null;
  readonly family: string;
  readonly revision: number;
  /** ECS's lastStatus. */
  readonly state: string;
  /** RUNNING, or STOPPED once it is to end. */
  readonly desiredState: string;
  readonly containers: readonly TaskContainer[];
  readonly createdAt: string | null;
  readonly startedAt: string | null;
  readonly stoppedAt: string | null;
  readonly stopCode: string | null;
  readonly stoppedReason: string | null;
  readonly availabilityZone: string | null;
  readonly privateIp: string | null;
  readonly startedBy: string | null;
  /** Whether the task was started with ECS Exec. */
  readonly execEnabled: boolean;
  readonly launchType: string | null;
}

const EXEC_AGENT = 'ExecuteCommandAgent';
const SERVICE_GROUP = 'service:';

const iso = (date: Date | undefined): string | null => date?.toISOString() ?? null;

function containerOf(container: Container): TaskContainer {
  const agent = container.managedAgents?.find(({ name }) => name === EXEC_AGENT);
  return {
    name: container.name ?? '',
    state: container.lastStatus ?? 'UNKNOWN',
    runtimeId: container.runtimeId ?? null,
    image: container.image ?? null,
    exitCode: container.exitCode ?? null,
    reason: container.reason ?? null,
    health: container.healthStatus ?? 'UNKNOWN',
    execAgent: agent?.lastStatus ?? null,
  };
}

/** The network interface of a task. By its type: a volume may come before it. */
export const interfaceOf = (task: Task) => task.attachments?.find(({ type }) => type === 'ElasticNetworkInterface');

/** A detail of the task's network interface: `networkInterfaceId`, `subnetId`, `privateIPv4Address`. */
export const interfaceDetail = (task: Task, name: string): string | null =>
  interfaceOf(task)?.details?.find((detail) => detail.name === name)?.value ?? null;

/** The service of a task's group; null for a task that no service started. */
export const serviceOf = ({ group = '' }: Task): string | null =>
  group.startsWith(SERVICE_GROUP) ? group.slice(SERVICE_GROUP.length) : null;

export const taskIdOf = (taskArn: string): string => taskArn.split('/').pop() as string;

/** A described task as commands show it. */
export function taskSummary(task: Task): TaskSummary {
  const { taskArn = '', taskDefinitionArn = '', clusterArn = '' } = task;
  return {
    taskArn,
    taskId: taskIdOf(taskArn),
    cluster: parseTaskArn(taskArn)?.cluster ?? clusterNameOf(clusterArn),
    service: serviceOf(task),
    family: familyOf(taskDefinitionArn),
    revision: Number(taskDefinitionArn.split(':').pop()),
    state: task.lastStatus ?? 'UNKNOWN',
    desiredState: task.desiredStatus ?? 'UNKNOWN',
    containers: (task.containers ?? []).map(containerOf),
    createdAt: iso(task.createdAt),
    startedAt: iso(task.startedAt),
    stoppedAt: iso(task.stoppedAt),
    stopCode: task.stopCode ?? null,
    stoppedReason: task.stoppedReason ?? null,
    availabilityZone: task.availabilityZone ?? null,
    privateIp: interfaceDetail(task, 'privateIPv4Address'),
    startedBy: task.startedBy ?? null,
    execEnabled: task.enableExecuteCommand === true,
    launchType: task.launchType ?? null,
  };
}

/** Whether the task is meant to go on: neither stopped nor about to be. */
export const isLive = ({ state, desiredState }: TaskSummary): boolean =>
  state !== 'STOPPED' && desiredState !== 'STOPPED';

/** Newest first. */
export const byAge = (one: TaskSummary, other: TaskSummary): number =>
  (other.createdAt ?? '').localeCompare(one.createdAt ?? '') || one.taskArn.localeCompare(other.taskArn);
