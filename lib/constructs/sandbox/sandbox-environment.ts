import { Construct } from 'constructs';
import type { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { ContainerInsights } from 'aws-cdk-lib/aws-ecs';
import type { ISecurityGroup } from 'aws-cdk-lib/aws-ec2';
import { SecurityGroup } from 'aws-cdk-lib/aws-ec2';
import type { RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IAgentCluster } from '../environment/agent-cluster';
import { AgentCluster } from '../environment/agent-cluster';
import type { IAgentImage } from '../environment/agent-image';
import type { IAgentNetwork } from '../environment/agent-network';
import { HostDrain } from '../environment/host-drain';
import type { ReaperOptions } from '../reaper/reaper';
import { Reaper } from '../reaper/reaper';
import { referenceWeakly } from '../checks/weak-references';
import { SandboxImage } from './sandbox-image';
import type { SandboxEgress } from './sandbox-security-group';
import { SandboxSecurityGroup } from './sandbox-security-group';
import { SandboxServicePolicy } from './sandbox-service-policy';
import { SandboxTaskDefinition } from './sandbox-task-definition';

export interface SandboxEnvironmentProps {
  /** Where sandboxes run: subnets without public addresses, from which images and logs can be reached. */
  readonly network: IAgentNetwork;

  /**
   * Goes before the names of cluster and family: `team-a` gives `team-a-mngr-sandbox` for both.
   *
   * @default - none: both are `mngr-sandbox`
   */
  readonly namePrefix?: string;

  /**
   * An existing cluster. Sandboxes are told from its other tasks by a tag.
   *
   * @default - a cluster of its own
   */
  readonly cluster?: IAgentCluster;

  /**
   * Whether sandboxes may run on Fargate Spot when a session asks for it. Not with `cluster`.
   *
   * @default true
   */
  readonly spot?: boolean;

  /**
   * Not with `cluster`.
   *
   * @default ContainerInsights.ENABLED
   */
  readonly containerInsights?: ContainerInsights;

  /**
   * What sandboxes run. Not with `imageBuildArgs`.
   *
   * @default - built from this package's `docker/` folder
   */
  readonly image?: IAgentImage;

  /**
   * Build arguments of the built image. No secrets: an image's history shows them.
   *
   * @default - none
   */
  readonly imageBuildArgs?: Record<string, string>;

  /**
   * @default CpuArchitecture.X86_64
   */
  readonly architecture?: CpuArchitecture;

  /**
   * CPU units of a sandbox.
   *
   * @default 512
   */
  readonly cpu?: number;

  /**
   * Memory of a sandbox in MiB.
   *
   * @default 1024
   */
  readonly memoryLimitMiB?: number;

  /**
   * @default SandboxEgress.ANY
   */
  readonly egress?: SandboxEgress;

  /**
   * Whether sandboxes past their maximum age are stopped from outside too, when no service runs that would.
   *
   * @default true
   */
  readonly reaper?: boolean;

  /**
   * How that is done. Not with `reaper: false`.
   *
   * @default - as docs/reaper.md says
   */
  readonly reaperOptions?: ReaperOptions;

  /**
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;
}

/**
 * All that sandboxes need in one account and region: tasks without a role and without a public address, which only the
 * members of one security group can enter. `SandboxService` runs the service for them; whatever else runs it has to be in
 * `serviceSecurityGroup` and needs `servicePolicy`.
 */
export class SandboxEnvironment extends Construct {
  readonly network: IAgentNetwork;
  readonly cluster: IAgentCluster;
  readonly image: IAgentImage;
  readonly taskDefinition: SandboxTaskDefinition;

  /** Of the sandboxes. */
  readonly securityGroup: SandboxSecurityGroup;

  /** Of the service: what is in it may enter sandboxes. Nobody may enter it, until somebody allows it. */
  readonly serviceSecurityGroup: ISecurityGroup;

  /** What the service may do in AWS. */
  readonly servicePolicy: SandboxServicePolicy;

  /** Undefined when it was left out. */
  readonly reaper: Reaper | undefined;

  constructor(scope: Construct, id: string, props: SandboxEnvironmentProps) {
    super(scope, id);
    refuse(props);
    const { network, logRetention } = props;
    const name = props.namePrefix === undefined ? 'mngr-sandbox' : `${props.namePrefix}-mngr-sandbox`;
    this.network = network;
    this.cluster =
      props.cluster ??
      new AgentCluster(this, 'Cluster', {
        vpc: network.vpc,
        clusterName: name,
        spot: props.spot,
        containerInsights: props.containerInsights ?? ContainerInsights.ENABLED,
      });
    this.image =
      props.image ??
      new SandboxImage(this, 'Image', { architecture: props.architecture, buildArgs: props.imageBuildArgs });
    this.taskDefinition = new SandboxTaskDefinition(this, 'Task', {
      family: name,
      image: this.image,
      architecture: props.architecture,
      cpu: props.cpu,
      memoryLimitMiB: props.memoryLimitMiB,
      logRetention,
    });
    this.serviceSecurityGroup = new SecurityGroup(this, 'ServiceGroup', {
      vpc: network.vpc,
      description: 'The sandbox service, which may enter sandboxes',
      allowAllOutbound: true,
    });
    this.securityGroup = new SandboxSecurityGroup(this, 'SandboxGroup', {
      vpc: network.vpc,
      service: this.serviceSecurityGroup,
      egress: props.egress,
    });
    this.servicePolicy = new SandboxServicePolicy(this, 'ServicePolicy', {
      cluster: this.cluster,
      taskDefinition: this.taskDefinition,
    });
    const family = this.taskDefinition.family;
    if (props.reaper ?? true) {
      this.reaper = new Reaper(this, 'Reaper', {
        ...props.reaperOptions,
        cluster: this.cluster,
        family,
        publicIp: false,
        logRetention,
      });
    }
    new HostDrain(this, 'Drain', {
      cluster: this.cluster,
      family,
      logRetention,
      before: [
        network,
        this.cluster,
        this.securityGroup,
        this.taskDefinition,
        ...(this.reaper === undefined ? [] : [this.reaper]),
      ],
    });
    referenceWeakly(this);
  }
}

function refuse(props: SandboxEnvironmentProps): void {
  if (props.network.assignPublicIp) {
    throw new Error(
      'sandboxes have no public address, and public subnets give them no other way out: ' +
        'use a network of mode private-nat or private-endpoints',
    );
  }
  for (const key of ['spot', 'containerInsights'] as const) {
    if (props.cluster !== undefined && props[key] !== undefined) {
      throw new Error(`cluster and ${key} exclude each other: ${key} is a setting of a new cluster, so leave one out`);
    }
  }
  if (props.image !== undefined && props.imageBuildArgs !== undefined) {
    throw new Error('image and imageBuildArgs exclude each other: an image that exists is not built, so leave one out');
  }
  if (props.reaper === false && props.reaperOptions !== undefined) {
    throw new Error('reaperOptions have no effect with reaper false: leave one of them out');
  }
}
