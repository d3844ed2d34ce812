import { CfnResource, Fn, Names, RemovalPolicy, Stack, Tags, Token } from 'aws-cdk-lib';
import type { InterfaceVpcEndpointAwsService, ISubnet, IVpc, SubnetSelection } from 'aws-cdk-lib/aws-ec2';
import { CfnSubnet, FlowLogDestination, FlowLogTrafficType, SubnetType, Vpc } from 'aws-cdk-lib/aws-ec2';
import { LogGroup, RetentionDays } from 'aws-cdk-lib/aws-logs';
import type { IConstruct } from 'constructs';
import { Construct } from 'constructs';
import { ignoreCfnLintRule } from '../checks/cfn-lint-metadata';
import { acknowledgeFinding } from '../checks/nag-acknowledgement';
import { hasToken } from '../checks/tokens';
import { referenceWeakly } from '../checks/weak-references';
import { vpcCidrProblem } from './cidr';
import { useFargateZones, zoneCountProblem } from './fargate-zones';
import { PrivateEndpoints } from './private-endpoints';
import { SUBNET_GROUPS, SubnetLayout, zoneLetter } from './subnet-layout';

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
   * @default - the first `maxAzs` zones of the region by name that have Fargate
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

const DEFAULT_VPC_CIDR = '10.0.0.0/16';

/** No region has more zones (us-east-1). */
export const MAX_ZONES = 6;

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
    return new ImportedAgentNetwork(scope, id, props.vpc, subnetIds, mode === NetworkMode.PUBLIC);
  }

  /** Uses a VPC and subnets by their ids. Needs no lookup, so it synthesizes without credentials. */
  static fromAttributes(scope: Construct, id: string, attributes: AgentNetworkAttributes): IAgentNetwork {
    const { vpcId, subnetIds, mode = NetworkMode.PUBLIC } = attributes;
    return new ImportedAgentNetwork(scope, id, vpcId, subnetIds, mode === NetworkMode.PUBLIC);
  }

  readonly vpc: Vpc;
  readonly subnetIds: string[];
  readonly assignPublicIp: boolean;

  /** The subnets of `subnetIds`. */
  readonly subnets: ISubnet[];

  constructor(scope: Construct, id: string, props: AgentNetworkProps = {}) {
    super(scope, id);
    const mode = props.mode ?? NetworkMode.PUBLIC;
    const vpcCidr = props.vpcCidr ?? DEFAULT_VPC_CIDR;
    const problems = networkProblems(props, Stack.of(this).region);
    if (problems.length > 0) throw new Error(`${this.node.path}: ${problems.join('; ')}`);

    // A replacement VPC gets its own gateways and addresses: those of the old one can't be in two places while both
    // exist.
    this.vpc = new Vpc(this, vpcCidr === DEFAULT_VPC_CIDR ? 'Vpc' : `Vpc${vpcCidr.replaceAll(/\D/g, 'x')}`, {
      ipAddresses: new SubnetLayout(vpcCidr),
      availabilityZones: [...(props.availabilityZones ?? firstZones(props.maxAzs ?? 2))],
      natGateways: mode === NetworkMode.PRIVATE_NAT ? (props.natGateways ?? 1) : 0,
      restrictDefaultSecurityGroup: props.restrictDefaultSecurityGroup ?? false,
      subnetConfiguration: subnetConfigurationOf(mode),
    });
    if (props.flowLogs ?? true) this.addFlowLog(props.logRetention ?? RetentionDays.TWO_WEEKS);
    else acknowledgeFinding(this, 'AwsSolutions-VPC7', 'The deployer switched flow logs off to save their cost.');
    this.placeSubnets(props.availabilityZones);
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
    referenceWeakly(this);
  }

  /**
   * A subnet in a named zone, and everything that belongs to it, has logical ids with its zone's letter, so that naming
   * other zones doesn't affect it. Counted zones have positions.
   */
  private placeSubnets(namedZones: readonly string[] | undefined): void {
    const { publicSubnets, privateSubnets, isolatedSubnets } = this.vpc;
    const groups = [publicSubnets, privateSubnets, isolatedSubnets];
    if (namedZones === undefined) {
      const positioned = groups.flatMap((group) =>
        group.map((subnet, position) => [subnet.node.findChild('Subnet') as CfnSubnet, position] as const),
      );
      useFargateZones(this, positioned);
      return;
    }
    for (const group of groups) {
      for (const [position, subnet] of group.entries()) {
        const letter = zoneLetter(namedZones[position] ?? '');
        if (letter !== undefined) renameBySubnet(subnet, subnet.node.id.replace(/\d+$/, letter.toUpperCase()));
      }
    }
  }

  private answerCfnLint(zonesAreNamed: boolean): void {
    if (zonesAreNamed) {
      // W3010, "avoid hardcoding availability zones": the deployer named them.
      for (const resource of this.vpc.node.findAll().filter((node) => node instanceof CfnSubnet)) {
        ignoreCfnLintRule(resource, 'W3010');
      }
    }
    // W3005, "dependency already enforced": written by the CDK for the function that empties the default group.
    const emptying = Stack.of(this).node.tryFindChild('Custom::VpcRestrictDefaultSGCustomResourceProvider');
    for (const resource of emptying?.node.findAll().filter(CfnResource.isCfnResource) ?? []) {
      if (resource.cfnResourceType === 'AWS::Lambda::Function') ignoreCfnLintRule(resource, 'W3005');
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
  const publicSubnets = { name: SUBNET_GROUPS.public, subnetType: SubnetType.PUBLIC, mapPublicIpOnLaunch: false };
  switch (mode) {
    case NetworkMode.PUBLIC:
      return [publicSubnets];
    case NetworkMode.PRIVATE_NAT:
      return [publicSubnets, { name: SUBNET_GROUPS.hosts, subnetType: SubnetType.PRIVATE_WITH_EGRESS }];
    case NetworkMode.PRIVATE_ENDPOINTS:
      return [{ name: SUBNET_GROUPS.hosts, subnetType: SubnetType.PRIVATE_ISOLATED }];
  }
}

/** Everything that is wrong with the props, as far as the synthesis can tell. */
function networkProblems(props: AgentNetworkProps, region: string): string[] {
  const { vpcCidr, maxAzs, availabilityZones: zones } = props;
  const zoneCount = zones?.length ?? maxAzs ?? 2;
  const letters = (zones ?? []).map((zone) => zoneLetter(zone)).filter((letter) => letter !== undefined);
  const elsewhere = (zones ?? []).find(
    (zone) => !Token.isUnresolved(zone) && !Token.isUnresolved(region) && !zone.startsWith(region),
  );
  return [
    maxAzs !== undefined && zones !== undefined
      ? 'maxAzs and availabilityZones cannot be used together: give the names of the zones or their number'
      : undefined,
    hasToken([vpcCidr, maxAzs, props.natGateways])
      ? 'vpcCidr, maxAzs and natGateways must be known at synthesis: give values, not tokens'
      : undefined,
    vpcCidr === undefined || Token.isUnresolved(vpcCidr) ? undefined : vpcCidrProblem(vpcCidr),
    maxAzs !== undefined &&
    !(Number.isInteger(maxAzs) && maxAzs >= 1 && maxAzs <= MAX_ZONES) &&
    !Token.isUnresolved(maxAzs)
      ? `maxAzs of ${maxAzs} is out of range: use 1 to ${MAX_ZONES}`
      : undefined,
    zones === undefined ? zoneCountProblem(region, zoneCount) : undefined,
    zones?.length === 0 ? 'availabilityZones is empty: name a zone, or leave it out' : undefined,
    elsewhere === undefined
      ? undefined
      : `availability zone ${elsewhere} is not in ${region}, the region of the stack: name zones of ${region}`,
    props.natGateways !== undefined && props.natGateways > zoneCount
      ? `${props.natGateways} NAT gateways are too many for ${zoneCount} availability zones: use one for each zone at most`
      : undefined,
    new Set(letters).size < letters.length ? 'availabilityZones names a zone more than once' : undefined,
    props.natGateways !== undefined && (props.mode ?? NetworkMode.PUBLIC) !== NetworkMode.PRIVATE_NAT
      ? `natGateways has no effect without mode ${NetworkMode.PRIVATE_NAT}: leave it out`
      : undefined,
  ].filter((problem) => problem !== undefined);
}

/** The first zones by name, which CloudFormation picks when it deploys. */
const firstZones = (count: number): string[] =>
  Array.from({ length: count }, (_, index) => Fn.select(index, Fn.getAzs()));

/** Gives a subnet another name, and its resources logical ids made from the VPC's id, that name and their own ids. */
function renameBySubnet(subnet: ISubnet, id: string): void {
  const prefix = Names.uniqueId(subnet.node.scope as Construct) + id;
  for (const resource of subnet.node.findAll().filter(CfnResource.isCfnResource)) {
    const own = resource.node.path.slice(subnet.node.path.length).replaceAll(/\W|Resource$/g, '');
    resource.overrideLogicalId(prefix + own);
  }
  Tags.of(subnet).add('Name', `${(subnet.node.scope as Construct).node.path}/${id}`);
}

/** An existing network, as far as hosts need it. */
export class ImportedAgentNetwork extends Construct implements IAgentNetwork {
  readonly vpc: IVpc;

  constructor(
    scope: Construct,
    id: string,
    vpc: IVpc | string,
    readonly subnetIds: string[],
    readonly assignPublicIp: boolean,
  ) {
    super(scope, id);
    if (subnetIds.length === 0) throw new Error(`${this.node.path}: hosts need at least one subnet: give subnetIds`);
    this.vpc = typeof vpc === 'string' ? this.importVpc(vpc) : vpc;
  }

  /** Security groups only need the VPC's id; the zone is given because an import without zones is refused. */
  private importVpc(vpcId: string): IVpc {
    return Vpc.fromVpcAttributes(this, 'Vpc', { vpcId, availabilityZones: [Fn.select(0, Fn.getAzs())] });
  }
}
