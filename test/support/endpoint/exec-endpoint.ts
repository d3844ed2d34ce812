import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateServiceCommand,
  DescribeTasksCommand,
  ECSClient,
  ExecuteCommandCommand,
  RunTaskCommand,
} from '@aws-sdk/client-ecs';
import type { ExecuteCommandCommandInput, NetworkConfiguration, RunTaskCommandInput, Task } from '@aws-sdk/client-ecs';
import { Endpoint } from '../../../lib/local/endpoint';
import type { EndpointOptions } from '../../../lib/local/endpoint';
import { ProcessRuntime } from '../../../lib/local/runtimes/process';
import type { Assembly } from '../../../lib/local/template/assembly';
import type { TemplateResource } from '../../../lib/local/template/stack';
import { until } from '../run/eventually';
import { program } from '../run/requirements';
import { DataChannelClient } from './data-channel-client';
import type { ClientSettings } from './local-endpoint';
import { SMALL_ASSEMBLY } from './local-endpoint-template';
import { separateFileSystems } from './namespaces';
import { RUNTIME_IMAGE } from './runtime-contract';

/** What real processes in tasks need from the machine. */
export const processTasks = [...['sshd', 'ssh-keygen', 'openssl', 'script'].map(program), separateFileSystems];

const resource = (name: string): TemplateResource => SMALL_ASSEMBLY.template.Resources[name] as TemplateResource;

/** The permissions of a task's role that its agent needs. */
export const CHANNEL_POLICY = {
  PolicyName: 'exec',
  PolicyDocument: {
    Statement: [
      {
        Effect: 'Allow',
        Action: ['Create', 'Open'].flatMap((verb) =>
          ['Control', 'Data'].map((channel) => `ssmmessages:${verb}${channel}Channel`),
        ),
        Resource: '*',
      },
    ],
  },
};

/** The small stack with a task role that lets the agent connect; `resources` are put over its resources. */
export function execAssembly(resources: Readonly<Record<string, TemplateResource>> = {}): Assembly {
  const { template } = SMALL_ASSEMBLY;
  const taskRole = resource('TaskRole');
  return {
    images: new Map([['abc123', { type: 'folder', path: RUNTIME_IMAGE }]]),
    template: {
      ...template,
      Resources: {
        ...template.Resources,
        TaskRole: { ...taskRole, Properties: { ...taskRole.Properties, Policies: [CHANNEL_POLICY] } },
        ...resources,
      },
    },
  };
}

/** The target of a task's first container in Session Manager. */
export const targetOf = ({ clusterArn, taskArn, containers }: Task): string =>
  `ecs:${clusterArn?.split('/').at(-1)}_${taskArn?.split('/').at(-1)}_${containers?.[0]?.runtimeId}`;

/** An endpoint whose tasks are processes of this machine, and what tests of ECS Exec do with it. */
export class ExecEndpoint {
  readonly ecs: ECSClient;
  readonly client: ClientSettings;
  private readonly channels: DataChannelClient[] = [];

  private constructor(
    readonly endpoint: Endpoint,
    readonly faults: readonly unknown[],
    private readonly folder: string,
  ) {
    const { env } = endpoint.description;
    this.client = {
      endpoint: env.AWS_ENDPOINT_URL,
      region: env.AWS_REGION,
      credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
    };
    this.ecs = new ECSClient(this.client);
  }

  static async start(
    assembly: Assembly = execAssembly(),
    place: Pick<EndpointOptions, 'region' | 'accountId'> = {},
  ): Promise<ExecEndpoint> {
    const folder = mkdtempSync(join(tmpdir(), 'mngr-x-'));
    const faults: unknown[] = [];
    const endpoint = await Endpoint.start({
      assembly,
      stackName: 'mngr-fargate',
      ...place,
      runtime: await ProcessRuntime.create({ stateDirectory: folder, endpointId: folder }),
      onFault: (error) => faults.push(error),
    });
    return new ExecEndpoint(endpoint, faults, folder);
  }

  /** Where tasks of the small stack run. */
  get network(): NetworkConfiguration {
    const { Subnets } = this.endpoint.description.outputs;
    return { awsvpcConfiguration: { subnets: Subnets?.split(','), assignPublicIp: 'ENABLED' } };
  }

  /** Creates the service `web` of the small stack's tasks, without any task. */
  async createService(): Promise<void> {
    await this.ecs.send(
      new CreateServiceCommand({
        cluster: 'mngr',
        serviceName: 'web',
        taskDefinition: 'mngr-task',
        desiredCount: 0,
        launchType: 'FARGATE',
        networkConfiguration: this.network,
      }),
    );
  }

  /** Starts a task that sleeps, or runs `command`. Its ARN. */
  async startTask(
    request: Partial<RunTaskCommandInput> = {},
    command: readonly string[] = ['sleep', 'infinity'],
  ): Promise<string> {
    const { tasks = [] } = await this.ecs.send(
      new RunTaskCommand({
        cluster: 'mngr',
        taskDefinition: 'mngr-task',
        launchType: 'FARGATE',
        enableExecuteCommand: true,
        networkConfiguration: this.network,
        overrides: { containerOverrides: [{ name: 'agent', command: [...command] }] },
        ...request,
      }),
    );
    return tasks[0]?.taskArn ?? '';
  }

  /** The same, and waits until its agent runs. */
  async runTask(...wanted: Parameters<ExecEndpoint['startTask']>): Promise<Task> {
    const taskArn = await this.startTask(...wanted);
    return until(async () => {
      const task = await this.describe(taskArn);
      const agent = task.containers?.[0]?.managedAgents?.[0];
      return task.lastStatus === 'RUNNING' && agent?.lastStatus !== 'PENDING' && task;
    });
  }

  describe(taskArn: string): Promise<Task> {
    return this.describeIn('mngr', taskArn);
  }

  async describeIn(cluster: string, taskArn: string): Promise<Task> {
    const { tasks = [] } = await this.ecs.send(new DescribeTasksCommand({ cluster, tasks: [taskArn] }));
    return tasks[0] as Task;
  }

  execute(task: Task, command: string, request: Partial<ExecuteCommandCommandInput> = {}) {
    return this.ecs.send(
      new ExecuteCommandCommand({ cluster: 'mngr', task: task.taskArn, command, interactive: true, ...request }),
    );
  }

  /** Opens a session with the command; it is closed at the end of the suite. */
  async open(task: Task, command: string): Promise<DataChannelClient> {
    const { session } = await this.execute(task, command);
    return this.connect({ streamUrl: session?.streamUrl ?? '', tokenValue: session?.tokenValue ?? '' });
  }

  async connect(stream: { readonly streamUrl: string; readonly tokenValue: string }): Promise<DataChannelClient> {
    const channel = await new DataChannelClient().open(stream);
    this.channels.push(channel);
    return channel;
  }

  /** Calls the control API. */
  async control(method: string, path: string, body?: object): Promise<unknown> {
    const { endpoint, controlToken } = this.endpoint.description;
    const response = await fetch(`${endpoint}/_control/${path}`, {
      method,
      headers: { authorization: `Bearer ${controlToken}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const answer = (await response.json()) as { readonly message?: string };
    if (!response.ok) throw new Error(answer.message);
    return answer;
  }

  async destroy(): Promise<void> {
    for (const channel of this.channels) channel.close();
    this.ecs.destroy();
    await this.endpoint.destroy();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
