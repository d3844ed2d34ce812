import { Duration, Stack, Token } from 'aws-cdk-lib';
import type { Metric, MetricOptions } from 'aws-cdk-lib/aws-cloudwatch';
import { Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { Connections, InterfaceVpcEndpointAwsService } from 'aws-cdk-lib/aws-ec2';
import type { ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import type { IGrantable, IPrincipal } from 'aws-cdk-lib/aws-iam';
import { Construct } from 'constructs';
import type { IAgentCluster } from './agent-cluster';
import { AgentCluster } from './agent-cluster';
import type { IAgentImage } from './agent-image';
import { AgentImage, pullProblem } from './agent-image';
import type { AgentNetworkProps, IAgentNetwork } from './agent-network';
import { AgentNetwork } from './agent-network';
import type { AgentTaskDefinitionProps } from './agent-task-definition';
import { AgentTaskDefinition } from './agent-task-definition';
import type { IAgentEnvironment } from './environment-interfaces';
import { METRICS } from '../../contract/metrics';
import type { MetricName } from '../operations/environment-metrics';
import { EnvironmentMetrics } from '../operations/environment-metrics';
import type { OperationsOptions } from '../operations/operations';
import { Operations } from '../operations/operations';
import { EcsServiceRole } from './ecs-service-role';
import { HostDrain } from './host-drain';
import type { AgentEnvironmentAttributes, AgentEnvironmentStackOptions } from './imported-environment';
import { environmentFromAttributes, environmentFromStackOutputs } from './imported-environment';
import type { ExecAuditDestination } from '../exec/exec-audit';
import { ExecAudit } from '../exec/exec-audit';
import { OperatorPolicy } from './operator-policy';
import type { ReaperOptions } from '../reaper/reaper';
import { Reaper } from '../reaper/reaper';
import { referenceWeakly } from '../checks/weak-references';
import { SshSecurityGroup } from './ssh-security-group';

/** Properties that are passed on to the hosts' task definition. */
type HostProps = Pick<
  AgentTaskDefinitionProps,
  | 'architecture'
  | 'cpu'
  | 'memoryLimitMiB'
  | 'ephemeralStorageGiB'
  | 'logRetention'
  | 'taskRolePolicies'
  | 'bedrock'
  | 'secrets'
  | 'taskRole'
  | 'executionRole'
>;

export interface AgentEnvironmentProps extends HostProps {
  /**
   * Prefix of the names of the cluster and the task definition family, so that one account and region can hold several
   * environments: `team-a` gives `team-a-mngr` and `team-a-mngr-task`.
   *
   * @default - none: the cluster is `mngr`, the family `mngr-task`
   */
  readonly namePrefix?: string;

  /**
   * Where hosts run. Not with `networkOptions`.
   *
   * @default - a VPC of its own, as `networkOptions` say
   */
  readonly network?: IAgentNetwork;

  /**
   * How the environment's own VPC is made.
   *
   * @default - public subnets in two availability zones, no NAT gateway
   */
  readonly networkOptions?: AgentNetworkProps;

  /**
   * An existing cluster. Not with `spot` and `containerInsights`, which are settings of a cluster.
   *
   * @default - a cluster of its own
   */
  readonly cluster?: IAgentCluster;

  /**
   * Whether hosts may run on Fargate Spot when their launch asks for it.
   *
   * @default true
   */
  readonly spot?: boolean;

  /**
   * @default ContainerInsights.ENABLED
   */
  readonly containerInsights?: ContainerInsights;

  /**
   * An existing security group for the hosts. Not with `sshSources`.
   *
   * @default - a group of its own, open to `sshSources` on port 22
   */
  readonly securityGroup?: ISecurityGroup;

  /**
   * Networks that may reach sshd, in CIDR notation, IPv4 or IPv6. A single address is also allowed.
   *
   * @default - none: port 22 is closed, and sshd is reached through Session Manager
   */
  readonly sshSources?: string[];

  /**
   * Whether operators may reach sshd through Session Manager, which needs no open port.
   *
   * @default - true, unless `sshSources` open port 22
   */
  readonly sessionSsh?: boolean;

  /**
   * The image that hosts run. Not with `agents` and `imageBuildArgs`.
   *
   * @default - built from this package's `docker/` folder
   */
  readonly image?: IAgentImage;

  /**
   * Coding agents baked into the built image, for example `claude-code`.
   *
   * @default - none
   */
  readonly agents?: string[];

  /**
   * Further build arguments of the built image. No secrets: an image's history shows them.
   *
   * @default - none
   */
  readonly imageBuildArgs?: Record<string, string>;

  /**
   * Who may take the operator role.
   *
   * @default - whoever the stack's account allows to call sts:AssumeRole on it
   */
  readonly operatorPrincipals?: IPrincipal[];

  /**
   * External id that callers must give when they take the operator role.
   *
   * @default - none
   */
  readonly operatorExternalId?: string;

  /**
   * Whether operators may open shells as root on every host with ECS Exec.
   *
   * @default false
   */
  readonly operatorExec?: boolean;

  /**
   * Whether operators may start tasks in the hosts' image, or in another one, with `mngr-fargate shell`. Such a task has the
   * hosts' task role.
   *
   * @default false
   */
  readonly operatorShell?: boolean;

  /**
   * Where what is typed and shown in sessions of ECS Exec is recorded. Not with an existing `cluster`: `ExecAudit` has the
   * command that configures one.
   *
   * @default - nowhere
   */
  readonly execAudit?: ExecAuditDestination;

  /**
   * How long a host runs without activity. Zero means forever.
   *
   * @default Duration.hours(1)
   */
  readonly defaultIdleTimeout?: Duration;

  /**
   * How long a host runs even if it is busy, at least a minute.
   *
   * @default - no limit
   */
  readonly defaultMaxAge?: Duration;

  /**
   * Whether hosts that should have ended are stopped from outside.
   *
   * @default true
   */
  readonly reaper?: boolean;

  /**
   * How they are stopped. Not with `reaper: false`.
   *
   * @default - every five minutes, as docs/reaper.md says
   */
  readonly reaperOptions?: ReaperOptions;

  /**
   * Whether running hosts are left alone when the environment is deleted. They then make the deletion fail, before
   * anything is deleted.
   *
   * @default - false: they are stopped first
   */
  readonly retainHosts?: boolean;

  /**
   * Dashboard, alarms and budget.
   *
   * @default - none
   */
  readonly operations?: OperationsOptions;
}

/**
 * Everything that hosts need in one account and region. Grants go to the hosts' task role
 * (`bucket.grantRead(environment)`), connections to their security group
 * (`database.connections.allowDefaultPortFrom(environment)`).
 */
export class AgentEnvironment extends Construct implements IAgentEnvironment {
  /** Uses an environment that is already deployed, described by its stack's outputs. */
  static fromAttributes(scope: Construct, id: string, attributes: AgentEnvironmentAttributes): IAgentEnvironment {
    return environmentFromAttributes(scope, id, attributes);
  }

  /**
   * Uses the environment of a stack in the same account and region. Each deployment reads its outputs again
   * (`Fn::GetStackOutput`), so that neither stack blocks updates of the other.
   */
  static fromStackOutputs(scope: Construct, id: string, options: AgentEnvironmentStackOptions): IAgentEnvironment {
    return environmentFromStackOutputs(scope, id, options);
  }

  readonly network: IAgentNetwork;
  readonly cluster: IAgentCluster;
  readonly securityGroup: ISecurityGroup;
  readonly image: IAgentImage;
  readonly taskDefinition: AgentTaskDefinition;
  readonly operator: OperatorPolicy;

  /** The record of sessions of ECS Exec; undefined where there is none. */
  readonly execAudit: ExecAudit | undefined;

  /** Undefined when it was left out. */
  readonly reaper: Reaper | undefined;

  readonly operations: Operations;
  readonly connections: Connections;
  readonly grantPrincipal: IPrincipal;

  /** Default idle timeout of hosts in seconds; 0 means forever. */
  readonly defaultIdleTimeoutSeconds: number;

  /** Default maximum age of hosts in seconds. */
  readonly defaultMaxAgeSeconds: number | undefined;

  constructor(scope: Construct, id: string, props: AgentEnvironmentProps = {}) {
    super(scope, id);
    refuseContradictions(props);
    const name = (suffix: string): string =>
      props.namePrefix === undefined ? suffix : `${props.namePrefix}-${suffix}`;

    this.network = props.network ?? this.makeNetwork(props);
    const { vpc } = this.network;
    const sessionSsh = props.sessionSsh ?? (props.sshSources ?? []).length === 0;
    this.execAudit =
      props.execAudit === undefined
        ? undefined
        : new ExecAudit(this, 'ExecAudit', { destination: props.execAudit, retention: props.logRetention });
    this.cluster = props.cluster ?? this.makeCluster(props, name('mngr'));
    this.securityGroup =
      props.securityGroup ??
      new SshSecurityGroup(this, 'Ssh', {
        vpc,
        sources: props.sshSources,
        ipv6: props.network !== undefined,
        warnIfClosed: !sessionSsh,
      });
    this.image =
      props.image ??
      new AgentImage(this, 'Image', {
        architecture: props.architecture,
        agents: props.agents,
        buildArgs: props.imageBuildArgs,
      });
    this.taskDefinition = new AgentTaskDefinition(this, 'Task', {
      family: name('mngr-task'),
      image: this.image,
      architecture: props.architecture,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryLimitMiB,
      ephemeralStorageGiB: props.ephemeralStorageGiB,
      logRetention: props.logRetention,
      taskRolePolicies: props.taskRolePolicies,
      bedrock: props.bedrock,
      secrets: props.secrets,
      taskRole: props.taskRole,
      executionRole: props.executionRole,
    });
    this.operator = new OperatorPolicy(this, 'Operator', {
      cluster: this.cluster,
      taskDefinition: this.taskDefinition,
      sharedCluster: props.cluster !== undefined,
      principals: props.operatorPrincipals,
      externalId: props.operatorExternalId,
      exec: props.operatorExec,
      shell: props.operatorShell,
      audit: this.execAudit,
      sessionSsh,
    });
    this.execAudit?.grantTask(this.taskDefinition.taskRole);
    if (props.reaper ?? true) {
      this.reaper = new Reaper(this, 'Reaper', {
        ...props.reaperOptions,
        cluster: this.cluster,
        family: this.taskDefinition.family,
        publicIp: this.network.assignPublicIp,
        logRetention: props.logRetention,
      });
    }
    new HostDrain(this, 'Drain', {
      cluster: this.cluster,
      family: this.taskDefinition.family,
      retainHosts: props.retainHosts,
      logRetention: props.logRetention,
      before: [
        this.network,
        this.cluster,
        this.securityGroup,
        this.taskDefinition,
        this.operator,
        ...(this.reaper === undefined ? [] : [this.reaper]),
      ],
    });
    this.operations = new Operations(this, 'Operations', {
      ...props.operations,
      family: this.taskDefinition.family,
      spot: props.spot ?? true,
      reaper: this.reaper,
    });

    this.connections = new Connections({ securityGroups: [this.securityGroup] });
    this.grantPrincipal = this.taskDefinition.grantPrincipal;
    this.defaultIdleTimeoutSeconds = props.defaultIdleTimeout?.toSeconds() ?? 3600;
    this.defaultMaxAgeSeconds = props.defaultMaxAge?.toSeconds();
    this.node.addValidation({ validate: () => this.problems(props) });
    referenceWeakly(this);
  }

  /** Lets a role, a user, a group or anything with a role launch, find and stop hosts, like the operator role. */
  grantLaunch(grantee: IGrantable): void {
    this.operator.grantLaunch(grantee);
  }

  /**
   * A metric of this environment that its reaper writes (docs/operating.md), for one's own alarms and dashboards.
   *
   * The default is the average over five minutes. Throws if the environment has no reaper.
   */
  metric(metricName: MetricName, options: MetricOptions = {}): Metric {
    if (this.reaper === undefined) {
      throw new Error(`${this.node.path} has no reaper, which is what writes the metric ${metricName}`);
    }
    const { statistic = Stats.AVERAGE, period = Duration.minutes(5) } = options;
    return new EnvironmentMetrics(this.taskDefinition.family).metric(metricName, statistic, period).with(options);
  }

  /** Hosts that have not stopped: the maximum over five minutes. */
  metricHosts(options?: MetricOptions): Metric {
    return this.metric(METRICS.hosts, { statistic: Stats.MAXIMUM, ...options });
  }

  /** Hosts that stopped before they were ready: the sum over five minutes. */
  metricHostStartFailures(options?: MetricOptions): Metric {
    return this.metric(METRICS.hostStartFailures, { statistic: Stats.SUM, ...options });
  }

  /** US dollars a day at list prices for the hosts that run: the maximum over five minutes. */
  metricCostPerDay(options?: MetricOptions): Metric {
    return this.metric(METRICS.costPerDay, { statistic: Stats.MAXIMUM, ...options });
  }

  /** Problems that would otherwise appear only at deployment, or on the first host. */
  private problems(props: AgentEnvironmentProps): string[] {
    const { mode } = props.networkOptions ?? {};
    const { region } = Stack.of(this);
    const topicRegion = props.operations?.alarmTopic?.env.region ?? region;
    const isElsewhere = !Token.isUnresolved(region) && !Token.isUnresolved(topicRegion) && topicRegion !== region;
    return [
      pullProblem(this.image, mode),
      isElsewhere
        ? `the alarm topic is in ${topicRegion} and the alarms are in ${region}: CloudWatch sends alarms to topics of its own region only`
        : undefined,
      ...this.twins().map(
        (path) =>
          `${path} in the same stack has the same names (${this.taskDefinition.family}): give each its own namePrefix`,
      ),
    ].filter((problem) => problem !== undefined);
  }

  /** Paths of other environments that would create resources with the same names. */
  private twins(): string[] {
    return Stack.of(this)
      .node.findAll()
      .filter((other): other is AgentEnvironment => other instanceof AgentEnvironment && other !== this)
      .filter(({ taskDefinition }) => taskDefinition.family === this.taskDefinition.family)
      .map(({ node }) => node.path);
  }

  get hasReaper(): boolean {
    return this.reaper !== undefined;
  }

  private makeCluster(props: AgentEnvironmentProps, clusterName: string): AgentCluster {
    const serviceRole = new EcsServiceRole(this, 'EcsServiceRole', { logRetention: props.logRetention });
    const cluster = new AgentCluster(this, 'Cluster', {
      vpc: this.network.vpc,
      clusterName,
      spot: props.spot,
      containerInsights: props.containerInsights,
      executeCommandConfiguration: this.execAudit?.configuration,
    });
    cluster.node.addDependency(serviceRole);
    return cluster;
  }

  private makeNetwork(props: AgentEnvironmentProps): IAgentNetwork {
    const options = props.networkOptions ?? {};
    return new AgentNetwork(this, 'Network', {
      ...options,
      logRetention: options.logRetention ?? props.logRetention,
      endpoints: [
        ...new Set([
          ...(options.endpoints ?? []),
          ...((props.secrets ?? []).length > 0 ? [InterfaceVpcEndpointAwsService.SECRETS_MANAGER] : []),
          ...(props.execAudit === undefined ? [] : [InterfaceVpcEndpointAwsService.KMS]),
          ...((props.bedrock ?? false) ? [InterfaceVpcEndpointAwsService.BEDROCK_RUNTIME] : []),
        ]),
      ],
    });
  }
}

/** Pairs of settings of which the first would silently override the second. */
const CONTRADICTIONS: readonly (readonly [keyof AgentEnvironmentProps, readonly (keyof AgentEnvironmentProps)[]])[] = [
  ['network', ['networkOptions']],
  ['cluster', ['spot', 'containerInsights', 'execAudit']],
  ['securityGroup', ['sshSources']],
  ['image', ['agents', 'imageBuildArgs']],
  ['taskRole', ['taskRolePolicies', 'bedrock', 'secrets']],
];

function refuseContradictions(props: AgentEnvironmentProps): void {
  for (const [given, others] of CONTRADICTIONS) {
    const contradicted = others.find((other) => props[given] !== undefined && props[other] !== undefined);
    if (contradicted !== undefined) {
      throw new Error(
        `${given} and ${contradicted} cannot be used together: ${contradicted} is a setting of what ${given} replaces, so leave one out`,
      );
    }
  }
  if (props.reaper === false && props.reaperOptions !== undefined) {
    throw new Error('reaperOptions have no effect with reaper false: leave one of them out');
  }
  if (props.securityGroup !== undefined && props.network === undefined) {
    throw new Error('securityGroup needs network: the group of another VPC than the hosts’ can’t be theirs');
  }
  const maxAge = props.defaultMaxAge?.toSeconds();
  if (maxAge !== undefined && maxAge < 60) {
    throw new Error(`defaultMaxAge of ${maxAge} seconds is too short: use 60 seconds or more`);
  }
}
