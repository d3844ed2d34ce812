import { CfnResource, Fn, RemovalPolicy, Stack } from 'aws-cdk-lib';
import type { InterfaceVpcEndpointAwsService, ISubnet, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { CfnSubnet, FlowLogDestination, FlowLogTrafficType, IpAddresses, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';
import { PrivateEndpoints } from './private-endpoints';

/** How hosts reach the internet, and how they are reached. */
export enum NetworkMode {
  /** Public subnets; each host has a public IPv4 address. No NAT gateway, so nothing is billed while no host runs. */
  PUBLIC = 'public',

  /** Private subnets behind a NAT gateway; hosts have no public address. */
  PRIVATE_NAT = 'private-nat',

  /** Subnets without any internet route; AWS services are reached through VPC endpoints. */
  PRIVATE_ENDPOINTS = 'private-endpoints',
}

/** Where hosts run. */
export interface IAgentNetwork extends IConstruct {
  readonly vpc: IVpc;

  /** Subnets that RunTask may place hosts in. */
  readonly subnetIds: string[];

  /** Whether RunTask asks for a public IPv4 address. */
  readonly assignPublicIp: boolean;
}

export interface AgentNetworkProps {
  /**
   * @default NetworkMode.PUBLIC
   */
  readonly mode?: NetworkMode;

  /**
   * IPv4 network of the VPC, `/16` to `/24`.
   *
   * @default '10.0.0.0/16'
   */
  readonly vpcCidr?: string;

  /**
   * Number of availability zones. Not with `availabilityZones`.
   *
   * @default 2
   */
  readonly maxAzs?: number;

  /**
   * Names of the availability zones. Not with `maxAzs`.
   *
   * @default - the first `maxAzs` zones of the stack
   */
  readonly availabilityZones?: string[];

  /**
   * Number of NAT gateways in mode `PRIVATE_NAT`. One serves all zones; one a zone survives the loss of a zone.
   *
   * @default 1
   */
  readonly natGateways?: number;

  /**
   * AWS services that hosts reach through interface endpoints in mode `PRIVATE_ENDPOINTS`, beside ECR, CloudWatch Logs,
   * Systems Manager and S3.
   *
   * @default - none
   */
  readonly endpoints?: InterfaceVpcEndpointAwsService[];

  /**
   * Whether the VPC's accepted and refused connections are logged to CloudWatch Logs.
   *
   * @default true
   */
  readonly flowLogs?: boolean;

  /**
   * How long flow logs are kept.
   *
   * @default RetentionDays.TWO_WEEKS
   */
  readonly logRetention?: RetentionDays;

  /**
   * Removes all rules of the VPC's default security group, by a custom resource with a function of its own. Nothing of
   * this package uses that group.
   *
   * @default false
   */
  readonly restrictDefaultSecurityGroup?: boolean;
}

export interface AgentNetworkFromVpcProps {
  /** A VPC with the routes, NAT gateways or endpoints that `mode` stands for. */
  readonly vpc: IVpc;

  /**
   * @default NetworkMode.PUBLIC
   */
  readonly mode?: NetworkMode;

  /**
   * Subnets of the VPC that hosts run in.
   *
   * @default - the public subnets in mode PUBLIC, those behind a NAT gateway in PRIVATE_NAT, the isolated ones in PRIVATE_ENDPOINTS
   */
  readonly subnets?: SubnetSelection;
}

export interface AgentNetworkAttributes {
  /** `vpc-…` */
  readonly vpcId: string;

  /** Subnets that hosts run in, at least one. */
  readonly subnetIds: string[];

  /**
   * @default NetworkMode.PUBLIC
   */
  readonly mode?: NetworkMode;
}

const SUBNET_TYPE: Readonly<Record<NetworkMode, SubnetType>> = {
  [NetworkMode.PUBLIC]: SubnetType.PUBLIC,
  [NetworkMode.PRIVATE_NAT]: SubnetType.PRIVATE_WITH_EGRESS,
  [NetworkMode.PRIVATE_ENDPOINTS]: SubnetType.PRIVATE_ISOLATED,
};

/** A VPC for hosts, with flow logs. */
export class AgentNetwork extends Construct implements IAgentNetwork {
  /** Uses subnets of a VPC that this app makes or has looked up. */
  static fromVpc(scope: Construct, id: string, props: AgentNetworkFromVpcProps): IAgentNetwork {
    const mode = props.mode ?? NetworkMode.PUBLIC;
    const { subnetIds } = props.vpc.selectSubnets(props.subnets ?? { subnetType: SUBNET_TYPE[mode] });
    return new ImportedAgentNetwork(scope, id, props.vpc, subnetIds, mode);
  }

  /** Uses a VPC and subnets by their ids. Needs no lookup, so it synthesizes without credentials. */
  static fromAttributes(scope: Construct, id: string, attributes: AgentNetworkAttributes): IAgentNetwork {
    const { vpcId, subnetIds } = attributes;
    return new ImportedAgentNetwork(scope, id, vpcId, subnetIds, attributes.mode ?? NetworkMode.PUBLIC);
  }

  readonly vpc: Vpc;
  readonly subnetIds: string[];
  readonly assignPublicIp: boolean;

  /** The subnets of `subnetIds`. */
  readonly subnets: ISubnet[];

  constructor(scope: Construct, id: string, props: AgentNetworkProps = {}) {
    super(scope, id);
    const mode = props.mode ?? NetworkMode.PUBLIC;
    const vpcCidr = props.vpcCidr ?? '10.0.0.0/16';
    if (props.maxAzs !== undefined && props.availabilityZones !== undefined) {
      throw new Error('maxAzs and availabilityZones exclude each other: name the zones or count them, not both');
    }

    this.vpc = new Vpc(this, 'Vpc', {
      ipAddresses: IpAddresses.cidr(vpcCidr),
      availabilityZones: props.availabilityZones,
      maxAzs: props.availabilityZones === undefined ? (props.maxAzs ?? 2) : undefined,
      natGateways: mode === NetworkMode.PRIVATE_NAT ? (props.natGateways ?? 1) : 0,
      restrictDefaultSecurityGroup: props.restrictDefaultSecurityGroup ?? false,
      subnetConfiguration: subnetConfigurationOf(mode),
    });
    if (props.flowLogs ?? true) this.addFlowLog(props.logRetention ?? RetentionDays.TWO_WEEKS);
    else acknowledgeFinding(this, 'AwsSolutions-VPC7', 'The deployer switched flow logs off to save their cost.');
    this.answerCfnLint(props.availabilityZones !== undefined);

    const selected = this.vpc.selectSubnets({ subnetType: SUBNET_TYPE[mode] });
    this.subnets = selected.subnets;
    this.subnetIds = selected.subnetIds;
    this.assignPublicIp = mode === NetworkMode.PUBLIC;

    if (mode === NetworkMode.PRIVATE_ENDPOINTS) {
      new PrivateEndpoints(this, 'Endpoints', {
        vpc: this.vpc,
        vpcCidr,
        subnets: this.subnets,
        services: props.endpoints,
      });
    }
  }

  private answerCfnLint(zonesAreNamed: boolean): void {
    const resources = Stack.of(this).node.findAll().filter(CfnResource.isCfnResource);
    for (const resource of resources) {
      // W3010, "avoid hardcoding availability zones": the deployer named them.
      if (zonesAreNamed && resource instanceof CfnSubnet) ignoreCfnLintRule(resource, 'W3010');
      // W3005, "dependency already enforced": written by the CDK for the function that empties the default group.
      if (resource.node.path.includes('VpcRestrictDefaultSG') && resource.cfnResourceType === 'AWS::Lambda::Function') {
        ignoreCfnLintRule(resource, 'W3005');
      }
    }
  }

  private addFlowLog(retention: RetentionDays): void {
    const logGroup = new LogGroup(this, 'FlowLogs', { retention, removalPolicy: RemovalPolicy.DESTROY });
    this.vpc.addFlowLog('FlowLog', {
      destination: FlowLogDestination.toCloudWatchLogs(logGroup),
      trafficType: FlowLogTrafficType.ALL,
    });
  }
}

/** Subnets never hand out public addresses by themselves: RunTask asks for one, so nothing else in them gets any. */
function subnetConfigurationOf(mode: NetworkMode) {
  const publicSubnets = { name: 'Public', subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false };
  switch (mode) {
    case NetworkMode.PUBLIC:
      return [publicSubnets];
    case NetworkMode.PRIVATE_NAT:
      return [publicSubnets, { name: 'Hosts', subnetType: SubnetType.PRIVATE_WITH_EGRESS }];
    case NetworkMode.PRIVATE_ENDPOINTS:
      return [{ name: 'Hosts', subnetType: SubnetType.PRIVATE_ISOLATED }];
  }
}

class ImportedAgentNetwork extends Construct implements IAgentNetwork {
  readonly vpc: IVpc;
  readonly assignPublicIp: boolean;

  constructor(
    scope: Construct,
    id: string,
    vpc: IVpc | string,
    readonly subnetIds: string[],
    mode: NetworkMode,
  ) {
    super(scope, id);
    if (subnetIds.length === 0) throw new Error('hosts need at least one subnet: give subnetIds');
    this.vpc = typeof vpc === 'string' ? this.importVpc(vpc) : vpc;
    this.assignPublicIp = mode === NetworkMode.PUBLIC;
  }

  /** Security groups need the VPC's id alone; the zone is there because an import without any is refused. */
  private importVpc(vpcId: string): IVpc {
    return Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: [Fn.select(0, Fn.getAzs())] });
  }
}
