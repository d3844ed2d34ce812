import type { RouteTable, VpcEndpoint } from '@aws-sdk/client-ec2';
import { AwsError } from '../../wire/aws-error';
import type { DescribeKind } from './describe';
import type { Ec2Tag } from './network';

const tagsOf = ({ Tags = [] }: Pick<RouteTable, 'Tags'>): Ec2Tag[] =>
  Tags.map(({ Key = '', Value = '' }) => ({ Key, Value }));

const present = (values: readonly (string | undefined)[]): string[] => values.filter((value) => value !== undefined);

export const ROUTE_TABLE: DescribeKind<RouteTable> = {
  kind: 'routeTable',
  notFound: (id) => new AwsError('InvalidRouteTableID.NotFound', `The routeTable ID '${id}' does not exist`),
  idOf: ({ RouteTableId = '' }) => RouteTableId,
  tagsOf,
  filterNames: [
    'association.main',
    'association.route-table-association-id',
    'association.route-table-id',
    'association.subnet-id',
    'owner-id',
    'route-table-id',
    'route.destination-cidr-block',
    'route.destination-prefix-list-id',
    'route.gateway-id',
    'route.nat-gateway-id',
    'route.origin',
    'route.state',
    'route.transit-gateway-id',
    'route.vpc-peering-connection-id',
    'vpc-id',
  ],
  filterValues: ({ RouteTableId, VpcId, OwnerId, Associations = [], Routes = [] }) => ({
    'association.main': Associations.map(({ Main }) => String(Main)),
    'association.route-table-association-id': present(Associations.map((each) => each.RouteTableAssociationId)),
    'association.route-table-id': present(Associations.map((each) => each.RouteTableId)),
    'association.subnet-id': present(Associations.map(({ SubnetId }) => SubnetId)),
    'owner-id': OwnerId,
    'route-table-id': RouteTableId,
    'route.destination-cidr-block': present(Routes.map((route) => route.DestinationCidrBlock)),
    'route.destination-prefix-list-id': present(Routes.map((route) => route.DestinationPrefixListId)),
    'route.gateway-id': present(Routes.map(({ GatewayId }) => GatewayId)),
    'route.nat-gateway-id': present(Routes.map(({ NatGatewayId }) => NatGatewayId)),
    'route.origin': present(Routes.map(({ Origin }) => Origin)),
    'route.state': present(Routes.map(({ State }) => State)),
    'route.transit-gateway-id': present(Routes.map(({ TransitGatewayId }) => TransitGatewayId)),
    'route.vpc-peering-connection-id': present(Routes.map((route) => route.VpcPeeringConnectionId)),
    'vpc-id': VpcId,
  }),
};

export const VPC_ENDPOINT: DescribeKind<VpcEndpoint> = {
  kind: 'vpcEndpoint',
  notFound: (id) => new AwsError('InvalidVpcEndpointId.NotFound', `The Vpc Endpoint Id '${id}' does not exist`),
  idOf: ({ VpcEndpointId = '' }) => VpcEndpointId,
  tagsOf,
  filterNames: [
    'ip-address-type',
    'service-name',
    'vpc-endpoint-id',
    'vpc-endpoint-state',
    'vpc-endpoint-type',
    'vpc-id',
  ],
  filterValues: ({ VpcEndpointId, VpcId, ServiceName, VpcEndpointType, State, IpAddressType }) => ({
    'ip-address-type': IpAddressType,
    'service-name': ServiceName,
    'vpc-endpoint-id': VpcEndpointId,
    'vpc-endpoint-state': State,
    'vpc-endpoint-type': VpcEndpointType,
    'vpc-id': VpcId,
  }),
};
