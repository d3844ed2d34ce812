import type { Route, RouteTable, RouteTableAssociation, VpcEndpoint } from '@aws-sdk/client-ec2';
import { digest } from '../../template/physical';
import { resourcesOfType } from '../../template/stack';
import type { Stack, StackResource } from '../../template/stack';
import type { World } from '../../world';
import { deployment } from '../cloudformation/deployment';
import { network } from './network';
import type { Ec2Tag, Network } from './network';

type Properties = StackResource['properties'];

const listOf = (value: unknown): string[] => ((value ?? []) as unknown[]).map(String);
const text = (value: unknown): string | undefined => (value === undefined ? undefined : String(value));
const tagsOf = ({ properties }: StackResource): Ec2Tag[] => [...((properties.Tags ?? []) as Ec2Tag[])];

/** Route tables and VPC endpoints of the stack. */
export interface Routing {
  readonly routeTables: readonly RouteTable[];
  readonly vpcEndpoints: readonly VpcEndpoint[];
}

export function routing(world: World): Routing {
  const { stack, place } = world;
  const parts = world.part(network);
  const endpoints = resourcesOfType(stack, 'AWS::EC2::VPCEndpoint').map((resource) =>
    endpointOf(resource, parts, { ownerId: place.accountId, createdAt: world.part(deployment).createdAt }),
  );
  const tables = resourcesOfType(stack, 'AWS::EC2::RouteTable').map((resource) =>
    tableOf(resource, { stack, network: parts, endpoints, ownerId: place.accountId }),
  );
  const mains = [...parts.vpcs.values()].map(({ id, cidr }) => mainTableOf(id, cidr, stack));
  return { routeTables: [...mains, ...tables], vpcEndpoints: endpoints };
}

function endpointOf(
  resource: StackResource,
  { securityGroups }: Network,
  { ownerId, createdAt }: { readonly ownerId: string; readonly createdAt: Date },
): VpcEndpoint {
  const { physicalId: id, properties } = resource;
  const type = (text(properties.VpcEndpointType) ?? 'Gateway') as VpcEndpoint['VpcEndpointType'];
  return {
    VpcEndpointId: id,
    VpcEndpointType: type,
    VpcId: text(properties.VpcId),
    ServiceName: text(properties.ServiceName),
    State: 'available' as VpcEndpoint['State'],
    PolicyDocument: policyText(properties.PolicyDocument),
    RouteTableIds: listOf(properties.RouteTableIds),
    SubnetIds: listOf(properties.SubnetIds),
    Groups: listOf(properties.SecurityGroupIds).map((group) => ({
      GroupId: group,
      GroupName: securityGroups.get(group)?.name ?? group,
    })),
    IpAddressType: type === 'Interface' ? 'ipv4' : undefined,
    PrivateDnsEnabled: type === 'Interface' && properties.PrivateDnsEnabled === true,
    RequesterManaged: false,
    NetworkInterfaceIds: [],
    DnsEntries: [],
    CreationTimestamp: createdAt,
    Tags: tagsOf(resource),
    OwnerId: ownerId,
  };
}

/** An endpoint without a policy of its own allows everything (VPC user guide, "Endpoint policies"). */
function policyText(document: unknown): string {
  if (typeof document === 'string') return document;
  return JSON.stringify(document ?? { Statement: [{ Action: '*', Effect: 'Allow', Principal: '*', Resource: '*' }] });
}

interface TableContext {
  readonly stack: Stack;
  readonly network: Network;
  readonly endpoints: readonly VpcEndpoint[];
  readonly ownerId: string;
}

function tableOf(resource: StackResource, { stack, network: { vpcs }, endpoints, ownerId }: TableContext): RouteTable {
  const { physicalId: id, properties } = resource;
  const vpcId = String(properties.VpcId);
  const own = (type: string): StackResource[] =>
    resourcesOfType(stack, type).filter((other) => other.properties.RouteTableId === id);
  const gateways = endpoints.filter(({ RouteTableIds = [] }) => RouteTableIds.includes(id));
  return {
    RouteTableId: id,
    VpcId: vpcId,
    OwnerId: ownerId,
    Associations: own('AWS::EC2::SubnetRouteTableAssociation').map((association) => ({
      Main: false,
      RouteTableAssociationId: `rtbassoc-${digest(stack.place, association.logicalId, 17)}`,
      RouteTableId: id,
      SubnetId: text(association.properties.SubnetId),
      AssociationState: { State: 'associated' },
    })),
    Routes: [
      localRoute(vpcs.get(vpcId)?.cidr),
      ...own('AWS::EC2::Route').map((route) => routeOf(route.properties)),
      ...gateways.map(({ VpcEndpointId, ServiceName = '' }) => ({
        DestinationPrefixListId: `pl-${digest(stack.place, ServiceName, 8)}`,
        GatewayId: VpcEndpointId,
        Origin: 'CreateRoute' as const,
        State: 'active' as const,
      })),
    ],
    PropagatingVgws: [],
    Tags: tagsOf(resource),
  };
}

/** The table that every VPC has, for the subnets that are associated with no other. */
function mainTableOf(vpcId: string, cidr: string, { place }: Stack): RouteTable {
  const id = `rtb-${digest(place, `${vpcId}/main`, 17)}`;
  const association: RouteTableAssociation = {
    Main: true,
    RouteTableAssociationId: `rtbassoc-${digest(place, `${vpcId}/main`, 17)}`,
    RouteTableId: id,
    AssociationState: { State: 'associated' },
  };
  return {
    RouteTableId: id,
    VpcId: vpcId,
    OwnerId: place.accountId,
    Associations: [association],
    Routes: [localRoute(cidr)],
    PropagatingVgws: [],
    Tags: [],
  };
}

const localRoute = (cidr: string | undefined): Route => ({
  DestinationCidrBlock: cidr,
  GatewayId: 'local',
  Origin: 'CreateRouteTable',
  State: 'active',
});

const routeOf = (properties: Properties): Route => ({
  DestinationCidrBlock: text(properties.DestinationCidrBlock),
  DestinationIpv6CidrBlock: text(properties.DestinationIpv6CidrBlock),
  DestinationPrefixListId: text(properties.DestinationPrefixListId),
  // An endpoint of a gateway load balancer shows as a gateway (EC2 API, Route).
  GatewayId: text(properties.GatewayId ?? properties.VpcEndpointId),
  NatGatewayId: text(properties.NatGatewayId),
  TransitGatewayId: text(properties.TransitGatewayId),
  VpcPeeringConnectionId: text(properties.VpcPeeringConnectionId),
  NetworkInterfaceId: text(properties.NetworkInterfaceId),
  InstanceId: text(properties.InstanceId),
  EgressOnlyInternetGatewayId: text(properties.EgressOnlyInternetGatewayId),
  Origin: 'CreateRoute',
  State: 'active',
});
