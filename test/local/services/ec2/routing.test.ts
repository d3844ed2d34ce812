import { DescribeRouteTablesCommand, DescribeVpcEndpointsCommand, EC2Client } from '@aws-sdk/client-ec2';
import type { Template } from '../../../../lib/local/template/stack';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';

const ref = (name: string): object => ({ Ref: name });
const service = (name: string): object => ({ 'Fn::Sub': `com.amazonaws.\${AWS::Region}.${name}` });

const RESOURCES: Template['Resources'] = {
  Gateway: { Type: 'AWS::EC2::InternetGateway' },
  Table: { Type: 'AWS::EC2::RouteTable', Properties: { VpcId: ref('Vpc'), Tags: [{ Key: 'Name', Value: 'public' }] } },
  Default: {
    Type: 'AWS::EC2::Route',
    Properties: { RouteTableId: ref('Table'), DestinationCidrBlock: '0.0.0.0/0', GatewayId: ref('Gateway') },
  },
  Association: {
    Type: 'AWS::EC2::SubnetRouteTableAssociation',
    Properties: { RouteTableId: ref('Table'), SubnetId: ref('SubnetA') },
  },
  Messages: {
    Type: 'AWS::EC2::VPCEndpoint',
    Properties: {
      VpcId: ref('Vpc'),
      ServiceName: service('ssmmessages'),
      VpcEndpointType: 'Interface',
      PrivateDnsEnabled: true,
      SubnetIds: [ref('SubnetA')],
      SecurityGroupIds: [{ 'Fn::GetAtt': ['Ssh', 'GroupId'] }],
    },
  },
  Storage: {
    Type: 'AWS::EC2::VPCEndpoint',
    Properties: { VpcId: ref('Vpc'), ServiceName: service('s3'), RouteTableIds: [ref('Table')] },
  },
};

describe("a stack's routes", () => {
  let local: LocalEndpoint<FakeRuntime>;
  let ec2: EC2Client;

  beforeAll(async () => {
    local = await startLocalEndpoint({ resources: RESOURCES });
    ec2 = new EC2Client(local.client);
  });

  afterAll(async () => {
    ec2.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const subnets = (): string[] => local.outputs.Subnets?.split(',') ?? [];

  it("are those of its tables, with the gateway endpoints' and the VPC's own", async () => {
    const { RouteTables } = await ec2.send(
      new DescribeRouteTablesCommand({ Filters: [{ Name: 'association.subnet-id', Values: subnets() }] }),
    );
    expect(RouteTables).toMatchObject([
      {
        Associations: [{ Main: false, SubnetId: subnets()[0], AssociationState: { State: 'associated' } }],
        Routes: [
          { DestinationCidrBlock: '10.0.0.0/16', GatewayId: 'local', Origin: 'CreateRouteTable', State: 'active' },
          { DestinationCidrBlock: '0.0.0.0/0', GatewayId: expect.stringMatching(/^igw-/) as string, State: 'active' },
          {
            DestinationPrefixListId: expect.stringMatching(/^pl-/) as string,
            GatewayId: expect.stringMatching(/^vpce-/) as string,
          },
        ],
        Tags: [{ Key: 'Name', Value: 'public' }],
      },
    ]);
  });

  it('have a main table for the subnets that are in no other', async () => {
    const { RouteTables } = await ec2.send(
      new DescribeRouteTablesCommand({ Filters: [{ Name: 'association.main', Values: ['true'] }] }),
    );
    expect(RouteTables).toMatchObject([{ Associations: [{ Main: true }], Routes: [{ GatewayId: 'local' }] }]);
  });

  it('are told with its VPC endpoints, by the service that they lead to', async () => {
    const { VpcEndpoints } = await ec2.send(
      new DescribeVpcEndpointsCommand({
        Filters: [{ Name: 'service-name', Values: ['com.amazonaws.us-east-1.ssmmessages'] }],
      }),
    );
    expect(VpcEndpoints).toMatchObject([
      {
        VpcEndpointType: 'Interface',
        State: 'available',
        PrivateDnsEnabled: true,
        SubnetIds: [subnets()[0]],
        Groups: [{ GroupId: local.outputs.SecurityGroups }],
      },
    ]);
    const { VpcEndpoints: all } = await ec2.send(new DescribeVpcEndpointsCommand({}));
    expect(all).toHaveLength(2);
  });

  it('are refused for ids that are not there', async () => {
    await expect(
      ec2.send(new DescribeVpcEndpointsCommand({ VpcEndpointIds: ['vpce-00000000000000000'] })),
    ).rejects.toMatchObject({ name: 'InvalidVpcEndpointId.NotFound' });
    await expect(
      ec2.send(new DescribeRouteTablesCommand({ RouteTableIds: ['rtb-00000000000000000'] })),
    ).rejects.toMatchObject({ name: 'InvalidRouteTableID.NotFound' });
  });
});
