import { DescribeTasksCommand, ECSClient } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { newHostId, startedByOf } from '../../../lib/contract/host-name';
import { SHELL_STARTED_BY, SHELL_TAGS } from '../../../lib/contract/shell-tasks';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { EcsClient, REAPER_SHARE } from '../../../lib/aws/ecs-client';
import { Tasks } from '../../../lib/hosts/ecs/tasks';
import { startLocalEndpoint } from '../endpoint/local-endpoint';
import type { LocalEndpoint } from '../endpoint/local-endpoint';
import type { FakeRuntime } from '../endpoint/fake-runtime';

export const MINUTE = 60_000;
export const HOUR = 60 * MINUTE;

export interface SeedOptions {
  /** Milliseconds since its creation. Default two hours. */
  readonly age?: number;
  /** The name it was launched under, if it isn't its own. */
  readonly launchedAs?: string;
  readonly startedBy?: string;
  /** In place of or besides a ready host's own; undefined takes one away. */
  readonly tags?: Readonly<Record<string, string | undefined>>;
}

/** Tasks of a stack on a local endpoint that look as if launchers had started them. */
export class ReaperFleet {
  private constructor(
    readonly local: LocalEndpoint<FakeRuntime>,
    readonly ecs: ECSClient,
  ) {}

  static async start(): Promise<ReaperFleet> {
    const local = await startLocalEndpoint();
    return new ReaperFleet(local, new ECSClient(local.client));
  }

  /** The reaper's client, with full buckets. */
  client(): EcsClient {
    return new EcsClient({ ecs: this.ecs }, REAPER_SHARE);
  }

  tasks(): Tasks {
    return new Tasks(this.client(), 'mngr');
  }

  /** A ready host, RUNNING, unless the options say otherwise. Its ARN. */
  host(name: string, { age = 2 * HOUR, launchedAs = name, startedBy, tags = {} }: SeedOptions = {}): string {
    const createdAt = new Date(Date.now() - age).toISOString();
    const all: Record<string, string | undefined> = {
      [HOST_TAGS.provider]: 'fargate',
      [HOST_TAGS.hostId]: newHostId(),
      [HOST_TAGS.hostName]: name,
      [HOST_TAGS.createdAt]: createdAt,
      [HOST_TAGS.readyAt]: createdAt,
      ...tags,
    };
    return this.task(startedBy ?? startedByOf('fargate', launchedAs), age, all);
  }

  /** A task that no launcher has started. */
  stranger(startedBy = 'somebody', age = 2 * HOUR): string {
    return this.task(startedBy, age, {});
  }

  /** A task of `shell` that may live for so many seconds. */
  shell(maxLifetime: string, age: number): string {
    return this.task(SHELL_STARTED_BY, age, { [SHELL_TAGS.maxLifetime]: maxLifetime });
  }

  async describe(arn: string): Promise<Task> {
    const command = new DescribeTasksCommand({ cluster: 'mngr', tasks: [arn], include: ['TAGS'] });
    return ((await this.ecs.send(command)).tasks ?? [])[0] as Task;
  }

  /** ARNs of those that were told to stop. */
  async stopped(arns: readonly string[]): Promise<string[]> {
    const tasks = await Promise.all(arns.map((arn) => this.describe(arn)));
    return tasks.filter(({ desiredStatus }) => desiredStatus === 'STOPPED').map(({ taskArn }) => taskArn ?? '');
  }

  calls(operation: string): number {
    return this.local.control.callLog.list().filter((call) => call.operation === operation).length;
  }

  async stop(): Promise<void> {
    this.ecs.destroy();
    await this.local.destroy();
  }

  private task(startedBy: string, age: number, tags: Readonly<Record<string, string | undefined>>): string {
    const { control } = this.local;
    const given = Object.entries(tags).flatMap(([key, value]) => (value === undefined ? [] : [[key, value] as const]));
    control.advanceClock(-age);
    const { taskArns } = control.seed({ count: 1, startedBy, tags: Object.fromEntries(given) });
    control.advanceClock(age);
    return taskArns[0] as string;
  }
}

/** ISO 8601, so many milliseconds from now. */
export const fromNow = (milliseconds: number): string => new Date(Date.now() + milliseconds).toISOString();
