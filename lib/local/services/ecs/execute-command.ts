import type { Container, ExecuteCommandRequest, ExecuteCommandResponse } from '@aws-sdk/client-ecs';
import { ShellPlugin } from '../../agent/shell-plugin';
import { AwsError } from '../../wire/aws-error';
import type { World } from '../../world';
import type { Call } from '../service';
import { sessions, sessionSuffix, streamOf } from '../ssm/sessions';
import { nameFrom } from './arns';
import { ecsContext } from './context';
import type { EcsContext } from './context';
import { invalidParameter, taskNotFound } from './errors';
import { execAgents } from './exec-agents';
import { sessionAudit } from './session-audit';
import { sessionKeyOf } from './session-key';
import { resourceTagContext } from './tags';
import type { TaskRecord } from './task-record';

const notEnabled = (): AwsError =>
  invalidParameter(
    'The execute command failed because execute command was not enabled when the task was run or the execute command ' +
      'agent isn’t running. Wait and try again or run a new task with execute command enabled and try again.',
  );

const notConnected = (): AwsError =>
  new AwsError('TargetNotConnectedException', 'The execute command failed due to an internal error. Try again later.');

export const executeCommand =
  (world: World) =>
  (request: ExecuteCommandRequest, call: Call): ExecuteCommandResponse => {
    const context = world.part(ecsContext);
    const agents = world.part(execAgents);
    const registry = world.part(sessions);
    const { arns, clusters, tasks } = context;
    const clusterArn = arns.clusterNamed(request.cluster);
    const clusterName = nameFrom(clusterArn);
    const taskId = nameFrom(request.task ?? '');
    const record = tasks.get(clusterName, taskId);
    authorize(context, request, record, call);
    const cluster = clusters.get(request.cluster);
    if (record === undefined) throw taskNotFound();
    if (request.interactive !== true) throw invalidParameter('Interactive is the only mode supported currently.');
    const container = containerFor(record, request.container);
    if (container.managedAgents?.[0]?.lastStatus !== 'RUNNING') throw notEnabled();
    const agent = agents.agentOf(record, container);
    if (agent === undefined || registry.agentOf(agent.container.target) !== agent) throw notConnected();
    const { command = '' } = request;
    const { exec, environment, target } = agent.container;
    const id = `ecs-execute-command-${sessionSuffix()}`;
    const details = {
      id,
      target,
      owner: call.principal.arn,
      ownerId: call.principal.userId,
      documentName: undefined,
      reason: undefined,
    };
    const rules = {
      key: sessionKeyOf(world, cluster, agent.container, id),
      audit: sessionAudit(world, cluster, record, { stream: id, container: agent.container }),
    };
    const session = registry.start(agent, new ShellPlugin({ command, exec, environment }), details, rules);
    return {
      clusterArn: cluster.arn,
      containerArn: container.containerArn,
      containerName: container.name,
      interactive: true,
      session: streamOf(session, call.host),
      taskArn: record.task.taskArn,
    };
  };

/** On the cluster and on the task (Service Authorization Reference, ExecuteCommand). */
function authorize(
  { arns, clusters }: EcsContext,
  request: ExecuteCommandRequest,
  record: TaskRecord | undefined,
  call: Call,
): void {
  const clusterArn = arns.clusterNamed(request.cluster);
  const taskArn = arns.task(nameFrom(clusterArn), nameFrom(request.task ?? ''));
  const containers = record?.task.containers ?? [];
  const shared = {
    'ecs:cluster': clusterArn,
    'ecs:task': taskArn,
    'ecs:container-name': request.container ?? (containers.length === 1 ? containers[0]?.name : undefined),
  };
  const action = 'ecs:ExecuteCommand';
  const clusterTags = clusters.find(request.cluster)?.tags ?? [];
  call.authorize({ action, resource: taskArn, context: { ...shared, ...resourceTagContext(record?.tags ?? []) } });
  call.authorize({ action, resource: clusterArn, context: { ...shared, ...resourceTagContext(clusterTags) } });
}

function containerFor({ task }: TaskRecord, name: string | undefined): Container {
  const containers = task.containers ?? [];
  const [only, ...others] = containers;
  if (name === undefined && only !== undefined) {
    if (others.length === 0) return only;
    throw invalidParameter('A container name must be specified when the task has more than one container.');
  }
  const container = containers.find((candidate) => candidate.name === name);
  if (container === undefined) throw invalidParameter(`The task has no container named ${name}.`);
  return container;
}
