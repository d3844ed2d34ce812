import type { Failure, RunTaskRequest, RunTaskResponse } from '@aws-sdk/client-ecs';
import type { Call } from '../service';
import { nameFrom } from './arns';
import type { EcsContext } from './context';
import { clientError, throttled } from './errors';
import { validateRunTask } from './run-task-request';
import { newTask } from './new-task';
import type { ValidatedRunTask } from './run-task-request';
import { describedTask } from './task-view';
import { requestTagContext, resourceTagContext } from './tags';
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
      else records.push(newTask(context, { request, cluster, entry, validated }, index));
    }
    tokens.remember(
      cluster.name,
      request,
      records.map(({ id, task }) => ({ id, arn: task.taskArn ?? '' })),
    );
    for (const record of records) tasks.save(record);
    const answer = { tasks: records.map((record) => describedTask(record, true)), failures };
    for (const record of records) lifecycle.launch(record);
    // A task that the caller is told about must survive a crash of the endpoint.
    await store.flush();
    return answer;
  };

function definitionFor({ definitions }: EcsContext, { taskDefinition = '' }: RunTaskRequest): RegisteredDefinition {
  const entry = definitions.find(taskDefinition);
  if (entry === undefined) throw clientError('TaskDefinition not found.');
  if (entry.definition.status !== 'ACTIVE') throw clientError('TaskDefinition is inactive');
  return entry;
}

/** RunTask on the definition, and TagResource on the new tasks if they get tags (Service Authorization Reference). */
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
