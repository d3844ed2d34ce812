import { randomBytes, randomUUID } from 'node:crypto';
import type { Failure, RunTaskRequest, RunTaskResponse, Tag, Task } from '@aws-sdk/client-ecs';
import type { Call } from '../service';
import { nameFrom } from './arns';
import type { EcsCluster } from './clusters';
import type { EcsContext } from './context';
import { clientError, throttled } from './errors';
import { validateRunTask } from './run-task-request';
import type { ValidatedRunTask } from './run-task-request';
import { describedTask } from './task-view';
import { mergeTags, requestTagContext, resourceTagContext } from './tags';
import type { RegisteredDefinition } from './task-definitions';
import type { TaskRecord } from './task-record';
import { launchGroup } from './throttles';

const PASSED_TO = 'ecs-tasks.amazonaws.com';

export const runTask =
  (context: EcsContext) =>
  async (request: RunTaskRequest, call: Call): Promise<RunTaskResponse> => {
    const { clusters, tasks, tokens, throttles, faults, lifecycle, store } = context;
    authorizeRun(context, request, call);
    const cluster = clusters.get(request.cluster);
    const entry = definitionFor(context, request);
    const validated = validateRunTask(request, entry.definition, cluster, context.network);
    authorizePassRole(validated, call);

    const replayed = tokens.replay(cluster.name, request);
    if (replayed !== undefined) {
      const records = replayed.map((id) => tasks.get(cluster.name, id)).filter((record) => record !== undefined);
      return { tasks: records.map((record) => describedTask(record, true)), failures: [] };
    }
    if (!throttles.take(launchGroup(validated.capacityProvider ?? 'FARGATE'), validated.count)) throw throttled();

    const records: TaskRecord[] = [];
    const failures: Failure[] = [];
    for (let index = 0; index < validated.count; index += 1) {
      const reason = faults.takeCapacityFailure();
      if (reason !== undefined) failures.push({ reason });
      else records.push(newTask(context, request, cluster, entry, validated, index));
    }
    tokens.remember(
      cluster.name,
      request,
      records.map(({ id, task }) => ({ id, arn: task.taskArn ?? '' })),
    );
    for (const record of records) tasks.save(record);
    const answer = { tasks: records.map((record) => describedTask(record, true)), failures };
    for (const record of records) lifecycle.launch(record);
    // What the caller is told exists must survive a crash of the endpoint.
    await store.flush();
    return answer;
  };

function definitionFor({ definitions }: EcsContext, { taskDefinition = '' }: RunTaskRequest): RegisteredDefinition {
  const entry = definitions.find(taskDefinition);
  if (entry === undefined) throw clientError('TaskDefinition not found.');
  if (entry.definition.status !== 'ACTIVE') throw clientError('TaskDefinition is inactive');
  return entry;
}

/** RunTask on the definition, and TagResource on the tasks to be when they get tags (Service Authorization Reference). */
function authorizeRun({ arns, definitions }: EcsContext, request: RunTaskRequest, call: Call): void {
  const { taskDefinition = '', tags = [] } = request;
  const clusterArn = arns.clusterNamed(request.cluster);
  const entry = definitions.find(taskDefinition);
  const namedResource = arns.taskDefinitionNamed(taskDefinition);
  const shared = { 'ecs:cluster': clusterArn, ...requestTagContext(tags) };
  call.authorize({
    action: 'ecs:RunTask',
    resource: entry?.definition.taskDefinitionArn ?? namedResource,
    namedResource,
    context: {
      ...shared,
      ...resourceTagContext(entry?.tags ?? []),
      'ecs:enable-execute-command': String(request.enableExecuteCommand === true),
    },
  });
  if (tags.length === 0) return;
  call.authorize({
    action: 'ecs:TagResource',
    resource: arns.task(nameFrom(clusterArn), '*'),
    context: { ...shared, 'ecs:CreateAction': 'RunTask' },
  });
}

function authorizePassRole({ taskRoleArn, executionRoleArn }: ValidatedRunTask, call: Call): void {
  for (const role of new Set([taskRoleArn, executionRoleArn])) {
    if (role === undefined) continue;
    call.authorize({ action: 'iam:PassRole', resource: role, context: { 'iam:PassedToService': PASSED_TO } });
  }
}

function newTask(
  { arns, tasks, faults, clock, network }: EcsContext,
  request: RunTaskRequest,
  cluster: EcsCluster,
  { definition, tags }: RegisteredDefinition,
  validated: ValidatedRunTask,
  index: number,
): TaskRecord {
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

/** The call's tags over the definition's where they are propagated, and ECS's own where they are asked for. */
function taskTags(request: RunTaskRequest, cluster: EcsCluster, definitionTags: readonly Tag[]): Tag[] {
  const propagated = request.propagateTags === 'TASK_DEFINITION' ? definitionTags : [];
  const managed = request.enableECSManagedTags === true ? [{ key: 'aws:ecs:clusterName', value: cluster.name }] : [];
  return [...mergeTags(propagated, request.tags ?? []), ...managed];
}
