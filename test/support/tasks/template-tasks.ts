import { ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { STACK_OUTPUTS } from '../../../lib/contract/outputs';
import { EcsTasks } from '../../../lib/tasks';
import type { FakeRuntime } from '../endpoint/fake-runtime';
import { startLocalEndpoint } from '../endpoint/local-endpoint';
import type { LocalEndpoint } from '../endpoint/local-endpoint';

/** An endpoint with the template's cluster, and what lib/tasks and the SDK need to work on its tasks. */
export class TemplateTasks {
  readonly ecs: ECSClient;
  readonly tasks: EcsTasks;
  readonly cluster: string;
  readonly family: string;

  private constructor(readonly local: LocalEndpoint<FakeRuntime>) {
    this.ecs = new ECSClient(local.client);
    this.cluster = local.outputs[STACK_OUTPUTS.ecsCluster] ?? '';
    this.family = local.outputs[STACK_OUTPUTS.taskDefinition] ?? '';
    const credentials = (): Promise<typeof local.credentials> => Promise.resolve(local.credentials);
    this.tasks = new EcsTasks({ region: local.region }, { endpoint: local.endpoint, credentials });
  }

  static async start(): Promise<TemplateTasks> {
    return new TemplateTasks(await startLocalEndpoint());
  }

  get subnets(): string[] {
    return (this.local.outputs[STACK_OUTPUTS.subnets] ?? '').split(',');
  }

  /** Starts a task of the template's definition. */
  async run(): Promise<Task> {
    const { tasks = [] } = await this.ecs.send(
      new RunTaskCommand({
        cluster: this.cluster,
        taskDefinition: this.family,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: this.subnets } },
      }),
    );
    return tasks[0] ?? {};
  }

  async close(): Promise<void> {
    this.tasks.close();
    this.ecs.destroy();
    await this.local.destroy();
  }
}
