import type { Container } from '@aws-sdk/client-ecs';
import { ContainerAgent } from '../../agent/agent';
import type { World } from '../../world';
import { sessions } from '../ssm/sessions';
import { dialerOf } from './container-ports';
import { runtimeIdOf } from './container-settings';
import { ecsContext } from './context';
import type { TaskRecord } from './task-record';
import { taskDefinitions } from './task-definitions';

const AGENT = 'ExecuteCommandAgent';

/** What the agent does with its task's role (ECS developer guide, "ECS Exec: permissions"). */
const CHANNEL_ACTIONS = [
  'ssmmessages:CreateControlChannel',
  'ssmmessages:CreateDataChannel',
  'ssmmessages:OpenControlChannel',
  'ssmmessages:OpenDataChannel',
];

const keyOf = (record: TaskRecord, container: Container): string => `${record.id}/${container.name}`;

/**
 * The ExecuteCommand agents of the containers whose tasks were run with `enableExecuteCommand`. An agent starts with
 * its container and ends with it; it can connect to Session Manager only if the task's role allows it.
 */
export class ExecAgents {
  private readonly agents = new Map<string, ContainerAgent>();
  private readonly closing = new AbortController();

  constructor(private readonly world: World) {}

  /** Continues the agents of tasks that an earlier endpoint started, and follows all others. */
  start(): void {
    this.world.events.on('taskStatus', this.follow);
    for (const record of this.world.part(ecsContext).tasks.all()) this.followTask(record);
  }

  close(): void {
    this.closing.abort();
    this.world.events.off('taskStatus', this.follow);
    this.world.part(sessions).close();
  }

  /** The container's agent, while it runs; it may not have connected to Session Manager. */
  agentOf(record: TaskRecord, container: Container): ContainerAgent | undefined {
    return this.agents.get(keyOf(record, container));
  }

  /** Ends the agent of a container that keeps running; false if it has none. */
  stop(record: TaskRecord, container: Container): boolean {
    if (this.agentOf(record, container) === undefined) return false;
    this.end(record, container);
    return true;
  }

  private readonly follow = ({ taskArn, taskId }: { readonly taskArn: string; readonly taskId: string }): void => {
    const [, cluster = ''] = taskArn.split('/');
    const record = this.world.part(ecsContext).tasks.get(cluster, taskId);
    if (record !== undefined) this.followTask(record);
  };

  private followTask(record: TaskRecord): void {
    for (const container of record.task.containers ?? []) {
      const [agent] = container.managedAgents ?? [];
      if (agent === undefined || agent.lastStatus === 'STOPPED') continue;
      if (container.lastStatus === 'STOPPED') this.end(record, container);
      else if (container.lastStatus === 'RUNNING' && this.agentOf(record, container) === undefined) {
        this.begin(record, container).catch(this.world.onFault);
      }
    }
  }

  private async begin(record: TaskRecord, container: Container): Promise<void> {
    const { runtime, delays, clock } = this.world;
    const agent = new ContainerAgent({
      target: `ecs:${record.cluster}_${record.id}_${container.runtimeId ?? ''}`,
      taskArn: record.task.taskArn ?? '',
      name: container.name ?? '',
      environment: this.environmentOf(record, container),
      exec: (request) => runtime.exec(runtimeIdOf(record, container.name), request),
      dialer: (port, host) => dialerOf(this.world, record, port, host),
      allows: (request) => {
        const role = this.roleOf(record);
        return role !== undefined && this.world.iam.roleAllows(role, request);
      },
      ended: async (signal) => void (await runtime.wait(runtimeIdOf(record, container.name), signal)),
    });
    this.agents.set(keyOf(record, container), agent);
    if (container.managedAgents?.[0]?.lastStatus !== 'RUNNING') {
      try {
        await delays.wait('agent', this.closing.signal);
      } catch {
        return;
      }
      if (!agent.alive || container.lastStatus !== 'RUNNING') return;
      container.managedAgents = [{ name: AGENT, lastStatus: 'RUNNING', lastStartedAt: clock.now() }];
      this.world.part(ecsContext).tasks.save(record);
    }
    if (this.canConnect(record, container)) this.world.part(sessions).register(agent);
  }

  private end(record: TaskRecord, container: Container): void {
    const agent = this.agentOf(record, container);
    this.agents.delete(keyOf(record, container));
    if (agent !== undefined) {
      agent.die();
      this.world.part(sessions).unregister(agent);
    }
    const { lastStartedAt } = container.managedAgents?.[0] ?? {};
    container.managedAgents = [{ name: AGENT, lastStatus: 'STOPPED', lastStartedAt }];
    this.world.part(ecsContext).tasks.save(record);
  }

  /** The agent needs its task's role, and a file system that it can write to. */
  private canConnect(record: TaskRecord, container: Container): boolean {
    const { definition } = this.world.part(taskDefinitions).find(record.task.taskDefinitionArn ?? '') ?? {};
    const role = this.roleOf(record);
    const settings = definition?.containerDefinitions?.find(({ name }) => name === container.name);
    if (role === undefined || settings?.readonlyRootFilesystem === true) return false;
    return CHANNEL_ACTIONS.every((action) => this.world.iam.roleAllows(role, { action, resource: '*', context: {} }));
  }

  private roleOf({ task }: TaskRecord): string | undefined {
    const { definition } = this.world.part(taskDefinitions).find(task.taskDefinitionArn ?? '') ?? {};
    return task.overrides?.taskRoleArn ?? definition?.taskRoleArn;
  }

  /** The agent gives commands a locale if the container has none. */
  private environmentOf(record: TaskRecord, container: Container): Record<string, string> {
    const { definition } = this.world.part(taskDefinitions).find(record.task.taskDefinitionArn ?? '') ?? {};
    const settings = definition?.containerDefinitions?.find(({ name }) => name === container.name);
    const override = record.task.overrides?.containerOverrides?.find(({ name }) => name === container.name);
    const given = [...(settings?.environment ?? []), ...(override?.environment ?? [])];
    return given.some(({ name }) => name === 'LANG') ? {} : { LANG: 'C.UTF-8' };
  }
}

export const execAgents = (world: World): ExecAgents => new ExecAgents(world);
