import * as sdk from '@aws-sdk/client-ec2';
import type {
  DescribeNetworkInterfacesRequest,
  DescribeNetworkInterfacesResult,
  DescribeRouteTablesRequest,
  DescribeRouteTablesResult,
  DescribeSecurityGroupsRequest,
  DescribeSecurityGroupsResult,
  DescribeSubnetsRequest,
  DescribeSubnetsResult,
  DescribeVpcEndpointsRequest,
  DescribeVpcEndpointsResult,
  DescribeVpcsRequest,
  DescribeVpcsResult,
} from '@aws-sdk/client-ec2';
import { AwsError } from '../../wire/aws-error';
import { ec2Query } from '../../wire/query';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import type { Call, Service } from '../service';
import { describe } from './describe';
import { network } from './network';
import { networkInterfaces } from './network-interfaces';
import { NETWORK_INTERFACE, SECURITY_GROUP, SUBNET, VPC } from './kinds';
import { routing } from './routing';
import type { Routing } from './routing';
import { ROUTE_TABLE, VPC_ENDPOINT } from './routing-kinds';
import { EC2_THROTTLES } from './throttles';
import { networkInterfaceView, securityGroupView, subnetView, vpcView } from './views';
import type { ViewContext } from './views';

/** EC2's Describe calls have no resource types: their permission is for `*`. */
function admit(call: Call, operation: string, dryRun: boolean | undefined): void {
  call.authorize({ action: `ec2:${operation}`, resource: '*', context: {} });
  if (dryRun !== true) return;
  throw new AwsError('DryRunOperation', 'Request would have succeeded, but DryRun flag is set.', { status: 412 });
}

/** Amazon EC2, as far as a task's network goes. */
export function ec2Service(world: World): Service {
  return {
    signingName: 'ec2',
    protocol: ec2Query({ version: '2016-11-15', xmlNamespace: 'http://ec2.amazonaws.com/doc/2016-11-15/' }),
    operations: operationsOf(sdk),
    errors: {
      missingMembers: ([first = '']) =>
        new AwsError('MissingParameter', `The request must contain the parameter ${first}`),
      accessDenied: (message) =>
        new AwsError('UnauthorizedOperation', `You are not authorized to perform this operation. ${message}`, {
          status: 403,
        }),
      throttled: () => new AwsError('RequestLimitExceeded', 'Request limit exceeded.', { status: 503 }),
    },
    throttles: EC2_THROTTLES,
    handlers: {
      ...handlersOf({
        network: world.part(network),
        interfaces: world.part(networkInterfaces),
        accountId: world.place.accountId,
        region: world.place.region,
      }),
      ...routingHandlers(world.part(routing)),
    },
  };
}

const handlersOf = (context: ViewContext): Service['handlers'] => ({
  DescribeNetworkInterfaces: (
    request: DescribeNetworkInterfacesRequest,
    call: Call,
  ): DescribeNetworkInterfacesResult => {
    admit(call, 'DescribeNetworkInterfaces', request.DryRun);
    const { items, nextToken } = describe(
      context.interfaces.all(),
      request.NetworkInterfaceIds ?? [],
      request,
      NETWORK_INTERFACE,
    );
    return { NetworkInterfaces: items.map((item) => networkInterfaceView(item, context)), NextToken: nextToken };
  },
  DescribeSubnets: (request: DescribeSubnetsRequest, call: Call): DescribeSubnetsResult => {
    admit(call, 'DescribeSubnets', request.DryRun);
    const all = [...context.network.subnets.values()];
    const { items, nextToken } = describe(all, request.SubnetIds ?? [], request, SUBNET);
    return { Subnets: items.map((item) => subnetView(item, context)), NextToken: nextToken };
  },
  DescribeVpcs: (request: DescribeVpcsRequest, call: Call): DescribeVpcsResult => {
    admit(call, 'DescribeVpcs', request.DryRun);
    const { items, nextToken } = describe([...context.network.vpcs.values()], request.VpcIds ?? [], request, VPC);
    return { Vpcs: items.map((item) => vpcView(item, context)), NextToken: nextToken };
  },
  DescribeSecurityGroups: (request: DescribeSecurityGroupsRequest, call: Call): DescribeSecurityGroupsResult => {
    admit(call, 'DescribeSecurityGroups', request.DryRun);
    const named = request.GroupNames ?? [];
    const all = [...context.network.securityGroups.values()].filter(
      ({ name }) => named.length === 0 || named.includes(name),
    );
    const { items, nextToken } = describe(all, request.GroupIds ?? [], request, SECURITY_GROUP);
    return { SecurityGroups: items.map((item) => securityGroupView(item, context)), NextToken: nextToken };
  },
});

const routingHandlers = ({ routeTables, vpcEndpoints }: Routing): Service['handlers'] => ({
  DescribeRouteTables: (request: DescribeRouteTablesRequest, call: Call): DescribeRouteTablesResult => {
    admit(call, 'DescribeRouteTables', request.DryRun);
    const { items, nextToken } = describe(routeTables, request.RouteTableIds ?? [], request, ROUTE_TABLE);
    return { RouteTables: [...items], NextToken: nextToken };
  },
  DescribeVpcEndpoints: (request: DescribeVpcEndpointsRequest, call: Call): DescribeVpcEndpointsResult => {
    admit(call, 'DescribeVpcEndpoints', request.DryRun);
    const { items, nextToken } = describe(vpcEndpoints, request.VpcEndpointIds ?? [], request, VPC_ENDPOINT);
    return { VpcEndpoints: [...items], NextToken: nextToken };
  },
});
