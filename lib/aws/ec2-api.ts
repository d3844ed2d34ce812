import {
  DescribeNetworkInterfacesCommand,
  DescribeRouteTablesCommand,
  DescribeSecurityGroupsCommand,
  DescribeSubnetsCommand,
  DescribeVpcEndpointsCommand,
  EC2Client,
} from '@aws-sdk/client-ec2';
import type {
  EC2ClientConfig,
  NetworkInterface,
  RouteTable,
  SecurityGroup,
  Subnet,
  VpcEndpoint,
} from '@aws-sdk/client-ec2';

/** The calls to EC2. A module of its own, so that a command that calls nothing there doesn't load the SDK's largest model. */
export class Ec2Api {
  private readonly client: EC2Client;

  constructor(options: EC2ClientConfig) {
    this.client = new EC2Client(options);
  }

  async describeNetworkInterfaces(ids: readonly string[], abortSignal?: AbortSignal): Promise<NetworkInterface[]> {
    const command = new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [...ids] });
    return (await this.client.send(command, { abortSignal })).NetworkInterfaces ?? [];
  }

  async describeSubnet(id: string, abortSignal?: AbortSignal): Promise<Subnet | undefined> {
    const command = new DescribeSubnetsCommand({ SubnetIds: [id] });
    return (await this.client.send(command, { abortSignal })).Subnets?.[0];
  }

  async describeSecurityGroups(ids: readonly string[], abortSignal?: AbortSignal): Promise<SecurityGroup[]> {
    const command = new DescribeSecurityGroupsCommand({ GroupIds: [...ids] });
    return (await this.client.send(command, { abortSignal })).SecurityGroups ?? [];
  }

  /** The route tables of a VPC: at most a few hundred (EC2 quotas). */
  async describeRouteTables(vpc: string, abortSignal?: AbortSignal): Promise<RouteTable[]> {
    const command = new DescribeRouteTablesCommand({ Filters: [{ Name: 'vpc-id', Values: [vpc] }] });
    return (await this.client.send(command, { abortSignal })).RouteTables ?? [];
  }

  /** The endpoints of a VPC for one of AWS's services. */
  async describeVpcEndpoints(vpc: string, service: string, abortSignal?: AbortSignal): Promise<VpcEndpoint[]> {
    const filters = [
      { Name: 'vpc-id', Values: [vpc] },
      { Name: 'service-name', Values: [service] },
    ];
    const command = new DescribeVpcEndpointsCommand({ Filters: filters });
    return (await this.client.send(command, { abortSignal })).VpcEndpoints ?? [];
  }

  destroy(): void {
    this.client.destroy();
  }
}
