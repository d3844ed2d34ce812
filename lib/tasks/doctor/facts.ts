import { DescribeClustersCommand } from '@aws-sdk/client-ecs';
import type {
  Cluster,
  ContainerDefinition,
  ExecuteCommandConfiguration,
  Task,
  TaskDefinition,
} from '@aws-sdk/client-ecs';
import type { NetworkInterface, RouteTable, SecurityGroup, Subnet, VpcEndpoint } from '@aws-sdk/client-ec2';
import type { EvaluationResult } from '@aws-sdk/client-iam';
import { awsCall } from '../../aws/aws-call';
import { MngrFargateError } from '../../contract/errors';
import type { EcsTasks } from '../ecs-tasks';
import { interfaceDetail } from '../model';
import type { Target } from '../resolve';

/** Who makes the calls. */
export interface Caller {
  readonly arn: string;
  readonly account: string;
  /** The user or role whose policies decide; undefined for the account's root, whom none binds. */
  readonly principal: string | undefined;
}

/** What the checks look at, each asked for once and only when a check wants it. */
export class DoctorFacts {
  private readonly known = new Map<string, Promise<unknown>>();

  constructor(
    private readonly tasks: EcsTasks,
    readonly target: Target,
    private readonly signal?: AbortSignal,
  ) {}

  get region(): string {
    return this.target.region;
  }

  /** `aws` partition of the task: `aws`, `aws-cn`, `aws-us-gov`. */
  get partition(): string {
    return this.target.taskArn.split(':')[1] ?? 'aws';
  }

  task(): Promise<Task> {
    return this.once('task', async () => {
      const { cluster, taskArn } = this.target;
      const [task] = await this.tasks.cluster(cluster).describe([taskArn], this.signal);
      return task ?? missing(`task ${taskArn}`);
    });
  }

  definition(): Promise<TaskDefinition> {
    return this.once('definition', async () => {
      const { taskDefinitionArn = '' } = await this.task();
      return this.tasks.definition(taskDefinitionArn, this.signal);
    });
  }

  /** The target's container in the task definition. Empty for one that ECS added. */
  async containerDefinition(): Promise<ContainerDefinition> {
    const { containerDefinitions = [] } = await this.definition();
    return containerDefinitions.find(({ name }) => name === this.target.container) ?? {};
  }

  cluster(): Promise<Cluster> {
    return this.once('cluster', async () => {
      const { cluster } = this.target;
      const command = new DescribeClustersCommand({ clusters: [cluster], include: ['CONFIGURATIONS'] });
      const { clusters = [] } = await this.tasks.ecs.send(command, `describe cluster ${cluster}`, {
        signal: this.signal,
      });
      return clusters[0] ?? missing(`cluster ${cluster}`);
    });
  }

  /** What the cluster says about ECS Exec; undefined where it says nothing. */
  async execConfiguration(): Promise<ExecuteCommandConfiguration | undefined> {
    return (await this.cluster()).configuration?.executeCommandConfiguration;
  }

  caller(): Promise<Caller> {
    return this.once('caller', async () => {
      const sts = await this.tasks.clients.sts();
      const { Arn: arn = '', Account: account = '' } = await this.call('ask who is calling', (signal) =>
        sts.callerIdentity(signal),
      );
      return { arn, account, principal: await this.principalOf(arn, account) };
    });
  }

  /** What IAM says that a user or role may do with a resource. */
  async simulate(
    principal: string,
    actions: readonly string[],
    resource: string,
    context: Readonly<Record<string, string>> = {},
  ): Promise<readonly EvaluationResult[]> {
    const iam = await this.tasks.clients.iam();
    const input = {
      PolicySourceArn: principal,
      ActionNames: [...actions],
      ResourceArns: [resource],
      ContextEntries: Object.entries(context).map(([key, value]) => ({
        ContextKeyName: key,
        ContextKeyValues: [value],
        ContextKeyType: 'string' as const,
      })),
    };
    return this.call(`simulate the policies of ${principal}`, (signal) => iam.simulate(input, signal));
  }

  /** Role of the task: that of its override, else of its task definition. */
  async taskRole(): Promise<string | undefined> {
    return (await this.task()).overrides?.taskRoleArn ?? (await this.definition()).taskRoleArn;
  }

  networkInterface(): Promise<NetworkInterface> {
    return this.once('interface', async () => {
      const id = interfaceDetail(await this.task(), 'networkInterfaceId');
      if (id === null) return missing('a network interface of the task');
      const ec2 = await this.tasks.clients.ec2();
      const [found] = await this.call('describe the network interface of the task', (signal) =>
        ec2.describeNetworkInterfaces([id], signal),
      );
      return found ?? missing(`network interface ${id}`);
    });
  }

  subnet(): Promise<Subnet> {
    return this.once('subnet', async () => {
      const id = interfaceDetail(await this.task(), 'subnetId');
      if (id === null) return missing('a subnet of the task');
      const ec2 = await this.tasks.clients.ec2();
      const found = await this.call(`describe subnet ${id}`, (signal) => ec2.describeSubnet(id, signal));
      return found ?? missing(`subnet ${id}`);
    });
  }

  /** The table that routes the task's subnet: its own, else its VPC's. */
  routeTable(): Promise<RouteTable> {
    return this.once('routes', async () => {
      const { VpcId: vpc = '', SubnetId: subnet } = await this.subnet();
      const ec2 = await this.tasks.clients.ec2();
      const tables = await this.call(`describe the route tables of ${vpc}`, (signal) =>
        ec2.describeRouteTables(vpc, signal),
      );
      const withAssociation = (matches: (of: { SubnetId?: string; Main?: boolean }) => boolean) =>
        tables.find(({ Associations = [] }) => Associations.some(matches));
      const found =
        withAssociation(({ SubnetId }) => SubnetId === subnet) ?? withAssociation(({ Main }) => Main === true);
      return found ?? missing(`a route table of ${vpc}`);
    });
  }

  /** The endpoints for Session Manager's messages in the task's VPC. */
  messageEndpoints(): Promise<readonly VpcEndpoint[]> {
    return this.once('endpoints', async () => {
      const { VpcId: vpc = '' } = await this.subnet();
      const ec2 = await this.tasks.clients.ec2();
      return this.call(`describe the endpoints of ${vpc}`, (signal) =>
        ec2.describeVpcEndpoints(vpc, `com.amazonaws.${this.region}.ssmmessages`, signal),
      );
    });
  }

  securityGroups(ids: readonly string[]): Promise<readonly SecurityGroup[]> {
    return this.once(`groups ${ids.join()}`, async () => {
      const ec2 = await this.tasks.clients.ec2();
      return this.call('describe security groups', (signal) => ec2.describeSecurityGroups(ids, signal));
    });
  }

  logGroup(name: string) {
    return this.once(`log group ${name}`, async () => {
      const logs = await this.tasks.clients.logs();
      return this.call(`describe log group ${name}`, (signal) => logs.describeLogGroup(name, signal));
    });
  }

  /** A session's ARN names a role without its path, which a simulation needs. */
  private async principalOf(arn: string, account: string): Promise<string | undefined> {
    if (arn.endsWith(':root')) return undefined;
    const [, role] = /:assumed-role\/([^/]+)\//.exec(arn) ?? [];
    if (role === undefined) return arn;
    const iam = await this.tasks.clients.iam();
    const found = await this.call(`read role ${role}`, (signal) => iam.roleArn(role, signal)).catch(() => undefined);
    return found ?? `arn:${this.partition}:iam::${account}:role/${role}`;
  }

  private call<Answer>(doing: string, send: (signal: AbortSignal | undefined) => Promise<Answer>): Promise<Answer> {
    return awsCall(doing, send, this.signal);
  }

  private once<Value>(name: string, ask: () => Promise<Value>): Promise<Value> {
    const known = (this.known.get(name) ?? ask()) as Promise<Value>;
    this.known.set(name, known);
    return known;
  }
}

function missing(what: string): never {
  throw new MngrFargateError('not-found', `AWS shows no such thing: ${what}`);
}
