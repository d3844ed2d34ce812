import type {
  IpPermission,
  NetworkInterface,
  SecurityGroup as SecurityGroupView,
  Subnet as SubnetView,
  Vpc as VpcView,
} from '@aws-sdk/client-ec2';
import { parseCidr } from '../../template/cidr';
import type { Network, SecurityGroup, Subnet, Vpc } from './network';
import type { NetworkInterfaces, TaskInterface } from './network-interfaces';

/** What views look up. */
export interface ViewContext {
  readonly accountId: string;
  readonly region: string;
  readonly network: Network;
  readonly interfaces: NetworkInterfaces;
}

const arn = ({ region, accountId }: ViewContext, resource: string): string =>
  `arn:aws:ec2:${region}:${accountId}:${resource}`;

/** A zone's id, which is the same physical place in every account: `us-east-1a` → `use1-az1` by way of example. */
const zoneId = (zone: string): string =>
  zone.replace(/^([a-z]{2})-([a-z])[a-z]*-(\d)([a-z])$/, (_, area: string, side: string, n: string, letter: string) => {
    return `${area}${side}${n}-az${letter.charCodeAt(0) - 96}`;
  });

/** An interface as EC2 shows one that Fargate made: attached, and owned by the service. */
export function networkInterfaceView(eni: TaskInterface, context: ViewContext): NetworkInterface {
  const association =
    eni.publicIp === undefined ? undefined : { IpOwnerId: 'amazon', PublicDnsName: '', PublicIp: eni.publicIp };
  return {
    NetworkInterfaceId: eni.id,
    Association: association,
    Attachment: {
      AttachmentId: eni.attachmentId,
      AttachTime: eni.attachedAt,
      DeleteOnTermination: false,
      DeviceIndex: 1,
      InstanceOwnerId: 'amazon-aws',
      Status: 'attached',
    },
    AvailabilityZone: eni.availabilityZone,
    Description: eni.description,
    Groups: eni.securityGroups.map((id) => ({
      GroupId: id,
      GroupName: context.network.securityGroups.get(id)?.name ?? id,
    })),
    InterfaceType: 'interface',
    Ipv6Address: eni.ipv6,
    Ipv6Addresses: eni.ipv6 === undefined ? [] : [{ Ipv6Address: eni.ipv6, IsPrimaryIpv6: false }],
    MacAddress: eni.macAddress,
    OwnerId: context.accountId,
    PrivateDnsName: eni.privateDnsName,
    PrivateIpAddress: eni.privateIp,
    PrivateIpAddresses: [
      {
        Association: association,
        Primary: true,
        PrivateDnsName: eni.privateDnsName,
        PrivateIpAddress: eni.privateIp,
      },
    ],
    RequesterId: context.accountId,
    RequesterManaged: true,
    SourceDestCheck: true,
    Status: 'in-use',
    SubnetId: eni.subnetId,
    TagSet: [...eni.tags],
    VpcId: eni.vpcId,
  };
}

export function subnetView(subnet: Subnet, context: ViewContext): SubnetView {
  const used = context.interfaces.all().filter(({ subnetId }) => subnetId === subnet.id).length;
  return {
    SubnetId: subnet.id,
    SubnetArn: arn(context, `subnet/${subnet.id}`),
    VpcId: subnet.vpcId,
    OwnerId: context.accountId,
    State: 'available',
    CidrBlock: subnet.cidr,
    AvailableIpAddressCount: parseCidr(subnet.cidr).size - 5 - used,
    AvailabilityZone: subnet.availabilityZone,
    AvailabilityZoneId: zoneId(subnet.availabilityZone),
    DefaultForAz: false,
    MapPublicIpOnLaunch: subnet.mapPublicIp,
    AssignIpv6AddressOnCreation: subnet.ipv6Cidr !== undefined,
    Ipv6CidrBlockAssociationSet: ipv6Association(subnet),
    Tags: [...subnet.tags],
  };
}

const ipv6Association = ({ id, ipv6Cidr }: Subnet): SubnetView['Ipv6CidrBlockAssociationSet'] =>
  ipv6Cidr === undefined
    ? []
    : [
        {
          AssociationId: `subnet-cidr-assoc-${id.slice('subnet-'.length)}`,
          Ipv6CidrBlock: ipv6Cidr,
          Ipv6CidrBlockState: { State: 'associated' },
        },
      ];

export const vpcView = (vpc: Vpc, { accountId }: ViewContext): VpcView => ({
  VpcId: vpc.id,
  OwnerId: accountId,
  State: 'available',
  CidrBlock: vpc.cidr,
  CidrBlockAssociationSet: [
    {
      AssociationId: vpc.id.replace('vpc-', 'vpc-cidr-assoc-'),
      CidrBlock: vpc.cidr,
      CidrBlockState: { State: 'associated' },
    },
  ],
  DhcpOptionsId: 'default',
  InstanceTenancy: 'default',
  IsDefault: false,
  Tags: [...vpc.tags],
});

interface TemplateRule {
  readonly IpProtocol: string;
  readonly FromPort?: number;
  readonly ToPort?: number;
  readonly CidrIp?: string;
  readonly CidrIpv6?: string;
  readonly Description?: string;
}

const permission = (rule: TemplateRule): IpPermission => ({
  IpProtocol: rule.IpProtocol,
  FromPort: rule.FromPort,
  ToPort: rule.ToPort,
  IpRanges: rule.CidrIp === undefined ? [] : [{ CidrIp: rule.CidrIp, Description: rule.Description }],
  Ipv6Ranges: rule.CidrIpv6 === undefined ? [] : [{ CidrIpv6: rule.CidrIpv6, Description: rule.Description }],
  UserIdGroupPairs: [],
  PrefixListIds: [],
});

export const securityGroupView = (group: SecurityGroup, context: ViewContext): SecurityGroupView => ({
  GroupId: group.id,
  GroupName: group.name,
  SecurityGroupArn: arn(context, `security-group/${group.id}`),
  Description: group.description,
  VpcId: group.vpcId,
  OwnerId: context.accountId,
  IpPermissions: ((group.properties.SecurityGroupIngress ?? []) as TemplateRule[]).map(permission),
  IpPermissionsEgress: ((group.properties.SecurityGroupEgress ?? []) as TemplateRule[]).map(permission),
  Tags: [...group.tags],
});
