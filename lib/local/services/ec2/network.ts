import { resourcesOfType } from '../../template/stack';
import type { Stack, StackResource } from '../../template/stack';
import { availabilityZonesOf } from '../../template/stack';
import type { World } from '../../world';

export interface Vpc {
  readonly id: string;
  readonly cidr: string;
  readonly tags: readonly Ec2Tag[];
}

export interface Subnet {
  readonly id: string;
  readonly vpcId: string;
  readonly cidr: string;
  readonly availabilityZone: string;
  readonly mapPublicIp: boolean;
  /** Absent where the subnet has IPv4 alone. */
  readonly ipv6Cidr?: string;
  readonly tags: readonly Ec2Tag[];
}

export interface SecurityGroup {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly vpcId: string;
  readonly properties: StackResource['properties'];
  readonly tags: readonly Ec2Tag[];
}

export interface Ec2Tag {
  readonly Key: string;
  readonly Value: string;
}

const IMPORTED_VPC = 'vpc-00000000000000000';
const IMPORTED_CIDR = '10.0.0.0/16';

const tagsOf = (resource: StackResource): Ec2Tag[] => (resource.properties.Tags ?? []) as Ec2Tag[];

/** What AWS takes out of the VPC's block where the template leaves that to it. */
const SOME_IPV6_CIDR = '2600:1f00:0:1::/64';

function ipv6CidrOf(properties: StackResource['properties']): string | undefined {
  if (typeof properties.Ipv6CidrBlock === 'string') return properties.Ipv6CidrBlock;
  return properties.AssignIpv6AddressOnCreation === true ? SOME_IPV6_CIDR : undefined;
}

/** Every `<prefix>-…` id that a value mentions. */
function mentioned(value: unknown, prefix: string): string[] {
  return [...new Set(JSON.stringify(value).match(new RegExp(`\\b${prefix}-[0-9a-f]{8,17}\\b`, 'g')) ?? [])];
}

/**
 * The stack's network. Ids that its outputs and resources mention without being resources of the stack belong to a VPC
 * that the stack was told to use; they are assumed to exist.
 */
export class Network {
  readonly vpcs = new Map<string, Vpc>();
  readonly subnets = new Map<string, Subnet>();
  readonly securityGroups = new Map<string, SecurityGroup>();

  constructor(stack: Stack) {
    for (const resource of resourcesOfType(stack, 'AWS::EC2::VPC')) {
      const { physicalId: id, properties, attributes } = resource;
      this.vpcs.set(id, { id, cidr: String(properties.CidrBlock ?? IMPORTED_CIDR), tags: tagsOf(resource) });
      this.addDefaultGroup(String(attributes.DefaultSecurityGroup), id);
    }
    for (const resource of resourcesOfType(stack, 'AWS::EC2::Subnet')) {
      const { physicalId: id, properties } = resource;
      this.subnets.set(id, {
        id,
        vpcId: String(properties.VpcId),
        cidr: String(properties.CidrBlock),
        availabilityZone: String(properties.AvailabilityZone ?? availabilityZonesOf(stack.place.region)[0]),
        mapPublicIp: properties.MapPublicIpOnLaunch === true,
        ipv6Cidr: ipv6CidrOf(properties),
        tags: tagsOf(resource),
      });
    }
    for (const resource of resourcesOfType(stack, 'AWS::EC2::SecurityGroup')) {
      const { physicalId: id, properties, logicalId } = resource;
      this.securityGroups.set(id, {
        id,
        name: String(properties.GroupName ?? `${stack.name}-${logicalId}`),
        description: String(properties.GroupDescription ?? ''),
        vpcId: String(properties.VpcId),
        properties,
        tags: tagsOf(resource),
      });
    }
    this.addImported(stack);
  }

  /** The group that an interface gets when RunTask names none. */
  defaultGroupOf(vpcId: string): SecurityGroup | undefined {
    return [...this.securityGroups.values()].find((group) => group.vpcId === vpcId && group.name === 'default');
  }

  private addDefaultGroup(id: string, vpcId: string): void {
    this.securityGroups.set(id, {
      id,
      name: 'default',
      description: 'default VPC security group',
      vpcId,
      properties: {},
      tags: [],
    });
  }

  private addImported(stack: Stack): void {
    const text = [
      stack.outputs.map(({ value }) => value),
      [...stack.parameters.values()],
      ['AWS::EC2::SecurityGroup', 'AWS::EC2::Subnet'].flatMap((type) =>
        resourcesOfType(stack, type).map(({ properties }) => properties),
      ),
    ];
    for (const id of mentioned(text, 'vpc')) {
      if (this.vpcs.has(id)) continue;
      this.vpcs.set(id, { id, cidr: IMPORTED_CIDR, tags: [] });
      this.addDefaultGroup(`sg-${id.slice('vpc-'.length)}`, id);
    }
    const zones = availabilityZonesOf(stack.place.region);
    const subnets = mentioned(text, 'subnet').filter((id) => !this.subnets.has(id));
    const groups = mentioned(text, 'sg').filter((id) => !this.securityGroups.has(id));
    if (subnets.length + groups.length === 0) return;
    const vpcId = this.vpcOfImports();
    subnets.forEach((id, index) => {
      this.subnets.set(id, {
        id,
        vpcId,
        cidr: `10.0.${index % 256}.0/24`,
        availabilityZone: zones[index % zones.length] as string,
        mapPublicIp: false,
        tags: [],
      });
    });
    for (const id of groups) {
      this.securityGroups.set(id, { id, name: id, description: 'imported', vpcId, properties: {}, tags: [] });
    }
  }

  /** Imported subnets and groups belong to the VPC that the stack names, or to a made-up one if it names none. */
  private vpcOfImports(): string {
    const [known] = this.vpcs.keys();
    if (known !== undefined) return known;
    this.vpcs.set(IMPORTED_VPC, { id: IMPORTED_VPC, cidr: IMPORTED_CIDR, tags: [] });
    this.addDefaultGroup('sg-00000000000000000', IMPORTED_VPC);
    return IMPORTED_VPC;
  }
}

export const network = ({ stack }: World): Network => new Network(stack);
