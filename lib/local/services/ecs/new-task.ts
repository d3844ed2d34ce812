import { randomBytes, randomUUID } from 'node:crypto';
import type { RunTaskRequest, Tag, Task } from '@aws-sdk/client-ecs';
import type { EcsCluster } from './clusters';
import type { EcsContext } from './context';
import type { ValidatedRunTask } from './run-task-request';
import { serviceOfGroup } from './services/record';
import { mergeTags } from './tags';
import type { RegisteredDefinition } from './task-definitions';
import type { TaskRecord } from './task-record';

/** What tasks are made from. */
export interface TaskOrder {
  readonly request: RunTaskRequest;
  readonly cluster: EcsCluster;
  readonly entry: RegisteredDefinition;
  readonly validated: ValidatedRunTask;
}

/** The task that a call asks for, or the `index`-th of several, which are distributed over the subnets. */
export function newTask(
  { arns, tasks, faults, clock, network }: EcsContext,
  { request, cluster, entry, validated }: TaskOrder,
  index: number,
): TaskRecord {
  const { definition, tags } = entry;
  const id = randomBytes(16).toString('hex');
  const taskArn = arns.task(cluster.name, id);
  const { subnets, securityGroups, assignPublicIp } = validated.networking;
  const subnetId = subnets[index % subnets.length] as string;
  const containers = definition.containerDefinitions ?? [];
  const task: Task = {
    taskArn,
    clusterArn: cluster.arn,
    taskDefinitionArn: definition.taskDefinitionArn,
    attachments: [
      {
        id: randomUUID(),
        type: 'ElasticNetworkInterface',
        status: 'PRECREATED',
        details: [{ name: 'subnetId', value: subnetId }],
      },
    ],
    attributes: [
      {
        name: 'ecs.cpu-architecture',
        value: definition.runtimePlatform?.cpuArchitecture === 'ARM64' ? 'arm64' : 'x86_64',
      },
    ],
    availabilityZone: network.subnets.get(subnetId)?.availabilityZone,
    containers: containers.map((container) => ({
      containerArn: arns.container(cluster.name, id, randomUUID()),
      taskArn,
      name: container.name,
      image: container.image,
      lastStatus: 'PENDING',
      networkInterfaces: [],
      networkBindings: [],
      healthStatus: 'UNKNOWN',
      cpu: String(container.cpu ?? 0),
      memory: container.memory === undefined ? undefined : String(container.memory),
      memoryReservation: container.memoryReservation === undefined ? undefined : String(container.memoryReservation),
      managedAgents:
        request.enableExecuteCommand === true ? [{ name: 'ExecuteCommandAgent', lastStatus: 'PENDING' }] : undefined,
    })),
    cpu: String(validated.cpu),
    memory: String(validated.memory),
    createdAt: clock.now(),
    desiredStatus: 'RUNNING',
    lastStatus: 'PROVISIONING',
    enableExecuteCommand: request.enableExecuteCommand === true,
    ephemeralStorage: { sizeInGiB: validated.ephemeralStorageGib },
    fargateEphemeralStorage: { sizeInGiB: validated.ephemeralStorageGib },
    group: request.group ?? `family:${definition.family}`,
    healthStatus: 'UNKNOWN',
    launchType: validated.launchType,
    capacityProviderName: validated.capacityProvider,
    platformVersion: validated.platformVersion,
    platformFamily: 'Linux',
    overrides: {
      inferenceAcceleratorOverrides: [],
      ...request.overrides,
      containerOverrides: containers.map(
        ({ name }) => request.overrides?.containerOverrides?.find((override) => override.name === name) ?? { name },
      ),
    },
    startedBy: request.startedBy,
    version: 0,
  };
  return {
    id,
    cluster: cluster.name,
    sequence: tasks.takeSequence(),
    task,
    tags: taskTags(request, cluster, tags),
    networking: { subnetId, securityGroups, assignPublicIp },
    faults: faults.takeTaskFaults(),
    containerStarted: false,
  };
}

/** The call's tags in addition to the definition's if those are propagated, and ECS's own if they are asked for. */
function taskTags(request: RunTaskRequest, cluster: EcsCluster, definitionTags: readonly Tag[]): Tag[] {
  const propagated = request.propagateTags === 'TASK_DEFINITION' ? definitionTags : [];
  return [...mergeTags(propagated, request.tags ?? []), ...managedTags(request, cluster)];
}

function managedTags({ enableECSManagedTags, group }: RunTaskRequest, cluster: EcsCluster): Tag[] {
  if (enableECSManagedTags !== true) return [];
  const service = serviceOfGroup(group);
  return [
    { key: 'aws:ecs:clusterName', value: cluster.name },
    ...(service === undefined ? [] : [{ key: 'aws:ecs:serviceName', value: service }]),
  ];
}
