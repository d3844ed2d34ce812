import type { AgentContainer, SessionTransport } from '../../agent/agent';
import type { World } from '../../world';
import { logStore } from '../logs/log-store';
import type { EcsCluster } from './clusters';
import { taskDefinitions } from './task-definitions';
import type { TaskRecord } from './task-record';

/** Where a session's output is logged, and whose role has to allow it. */
interface AuditLog {
  readonly group: string;
  readonly stream: string;
  readonly container: AgentContainer;
}

/**
 * Logs a session as its cluster's configuration says; undefined if it isn't logged. The log is written after the
 * session, with the task's role: without the permissions or the log group, there is no log.
 */
export function sessionAudit(
  world: World,
  cluster: EcsCluster,
  record: TaskRecord,
  log: Pick<AuditLog, 'stream' | 'container'>,
): SessionTransport['audit'] {
  const configuration = cluster.configuration?.executeCommandConfiguration;
  if (configuration === undefined || configuration.logging === 'NONE') return undefined;
  const group =
    configuration.logging === 'OVERRIDE'
      ? configuration.logConfiguration?.cloudWatchLogGroupName
      : groupOf(world, record, log.container.name);
  return group === undefined ? undefined : (shown) => write(world, { ...log, group }, shown);
}

/** The log group of the container's own output. */
function groupOf(world: World, { task }: TaskRecord, container: string): string | undefined {
  const { definition } = world.part(taskDefinitions).find(task.taskDefinitionArn ?? '') ?? {};
  const { logConfiguration } = definition?.containerDefinitions?.find(({ name }) => name === container) ?? {};
  return logConfiguration?.logDriver === 'awslogs' ? logConfiguration.options?.['awslogs-group'] : undefined;
}

async function write(world: World, { group, stream, container }: AuditLog, shown: Buffer): Promise<void> {
  const { region, accountId } = world.place;
  const arn = `arn:aws:logs:${region}:${accountId}:log-group:${group}`;
  const needs = [
    { action: 'logs:DescribeLogGroups', resource: `arn:aws:logs:${region}:${accountId}:log-group::log-stream:` },
    { action: 'logs:CreateLogStream', resource: `${arn}:*` },
    { action: 'logs:DescribeLogStreams', resource: `${arn}:*` },
    { action: 'logs:PutLogEvents', resource: `${arn}:log-stream:${stream}` },
  ];
  const logs = world.part(logStore);
  if (!logs.hasGroup(group) || !needs.every((need) => container.allows({ ...need, context: {} }))) return;
  const lines = shown.toString('utf8').split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  await logs.append(group, stream, lines, world.clock.now());
}
