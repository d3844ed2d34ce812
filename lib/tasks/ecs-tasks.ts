import { DescribeServicesCommand, DescribeTaskDefinitionCommand, ListServicesCommand } from '@aws-sdk/client-ecs';
import type { Service, TaskDefinition } from '@aws-sdk/client-ecs';
import { AwsClients } from '../aws/clients';
import type { AwsPlace, AwsSettings } from '../aws/client-options';
import { ClusterTasks } from '../aws/cluster-tasks';
import { EcsClient, LAUNCHER_SHARE } from '../aws/ecs-client';
import { inBatches, mapBounded } from '../util/bounded';

/** ECS API, DescribeServices. */
const SERVICES_PER_CALL = 10;
const CALLS_AT_ONCE = 4;

/** What is read about tasks of any cluster, with one account's credentials in one region. */
export class EcsTasks {
  readonly clients: AwsClients;
  readonly ecs: EcsClient;
  private readonly elsewhere = new Map<string, AwsClients>();
  private readonly definitions = new Map<string, Promise<TaskDefinition>>();

  constructor(
    readonly place: AwsPlace & { readonly region: string },
    readonly settings: AwsSettings = {},
  ) {
    this.clients = this.makeClients(place.region);
    this.ecs = new EcsClient(this.clients, LAUNCHER_SHARE);
  }

  /** The SDK's clients for a region, which may be another one than that of the tasks. */
  clientsIn(region: string): AwsClients {
    if (region === this.place.region) return this.clients;
    const clients = this.elsewhere.get(region) ?? this.makeClients(region);
    this.elsewhere.set(region, clients);
    return clients;
  }

  /** The tasks of a cluster, by its name or ARN. */
  cluster(cluster: string): ClusterTasks {
    return new ClusterTasks(this.ecs, cluster);
  }

  /** A revision of a task definition: asked for once, since revisions never change. */
  definition(arn: string, signal?: AbortSignal): Promise<TaskDefinition> {
    const known = this.definitions.get(arn) ?? this.describeDefinition(arn, signal);
    this.definitions.set(arn, known);
    known.catch(() => this.definitions.delete(arn));
    return known;
  }

  /** ARNs of the services of a cluster. */
  async serviceArns(cluster: string, signal?: AbortSignal): Promise<string[]> {
    const arns: string[] = [];
    let nextToken: string | undefined;
    do {
      const command = new ListServicesCommand({ cluster, maxResults: 100, nextToken });
      const answer = await this.ecs.send(command, `list services of cluster ${cluster}`, { signal });
      arns.push(...(answer.serviceArns ?? []));
      nextToken = answer.nextToken;
    } while (nextToken !== undefined);
    return arns;
  }

  /** Services by name or ARN, without those that don't exist. */
  async services(cluster: string, names: readonly string[], signal?: AbortSignal): Promise<Service[]> {
    const answers = await mapBounded(inBatches(names, SERVICES_PER_CALL), CALLS_AT_ONCE, (services) =>
      this.ecs.send(new DescribeServicesCommand({ cluster, services }), `describe services of cluster ${cluster}`, {
        signal,
      }),
    );
    return answers.flatMap(({ services = [] }) => services);
  }

  close(): void {
    for (const clients of [this.clients, ...this.elsewhere.values()]) clients.destroy();
  }

  private makeClients(region: string): AwsClients {
    const { profile, roleArn } = this.place;
    return new AwsClients({ aws_region: region, aws_profile: profile, aws_role_arn: roleArn }, this.settings);
  }

  private async describeDefinition(taskDefinition: string, signal?: AbortSignal): Promise<TaskDefinition> {
    const command = new DescribeTaskDefinitionCommand({ taskDefinition });
    const answer = await this.ecs.send(command, `describe task definition ${taskDefinition}`, { signal });
    return answer.taskDefinition ?? {};
  }
}
