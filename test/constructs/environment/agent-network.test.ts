import { Match, Template } from 'aws-cdk-lib/assertions';
import { InterfaceVpcEndpointAwsService } from 'aws-cdk-lib/aws-ec2';
import { RetentionDays } from 'aws-cdk-lib/aws-logs';
import { AgentNetwork, NetworkMode } from '../../../lib/constructs';
import { emptyStack, existingVpc } from '../../support/cdk/construct-stack';

const ZONES = ['eu-central-1a', 'eu-central-1b'];

describe('AgentNetwork', () => {
  it('by default has public subnets that give no address by themselves, and nothing that is billed while idle', () => {
    const stack = emptyStack();
    const network = new AgentNetwork(stack, 'Network', { availabilityZones: ZONES });
    const template = Template.fromStack(stack);

    expect(network.assignPublicIp).toBe(true);
    expect(network.subnetIds).toHaveLength(2);
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    template.resourceCountIs('AWS::EC2::VPCEndpoint', 0);
    template.resourceCountIs('AWS::EC2::InternetGateway', 1);
    template.allResourcesProperties('AWS::EC2::Subnet', { MapPublicIpOnLaunch: false });
  });

  it('logs every connection for two weeks, or as long as asked, and takes the logs away with the stack', () => {
    const stack = emptyStack();
    new AgentNetwork(stack, 'Network', { availabilityZones: ZONES });
    new AgentNetwork(stack, 'Other', { availabilityZones: ZONES, logRetention: RetentionDays.ONE_YEAR });
    const template = Template.fromStack(stack);

    template.allResourcesProperties('AWS::EC2::FlowLog', { TrafficType: 'ALL', ResourceType: 'VPC' });
    template.hasResource('AWS::Logs::LogGroup', { Properties: { RetentionInDays: 14 }, DeletionPolicy: 'Delete' });
    template.hasResourceProperties('AWS::Logs::LogGroup', { RetentionInDays: 365 });
  });

  it('behind NAT has private subnets for hosts and as many gateways as asked', () => {
    const stack = emptyStack();
    const network = new AgentNetwork(stack, 'Network', {
      mode: NetworkMode.PRIVATE_NAT,
      availabilityZones: ZONES,
      natGateways: 2,
    });
    const template = Template.fromStack(stack);

    expect(network.assignPublicIp).toBe(false);
    expect(network.subnets).toEqual(network.vpc.privateSubnets);
    template.resourceCountIs('AWS::EC2::NatGateway', 2);
  });

  it('without internet has an endpoint for everything that starting a host calls', () => {
    const stack = emptyStack();
    const network = new AgentNetwork(stack, 'Network', {
      mode: NetworkMode.PRIVATE_ENDPOINTS,
      availabilityZones: ZONES,
      vpcCidr: '10.9.0.0/16',
      endpoints: [InterfaceVpcEndpointAwsService.SECRETS_MANAGER],
    });
    const template = Template.fromStack(stack);

    expect(network.assignPublicIp).toBe(false);
    template.resourceCountIs('AWS::EC2::InternetGateway', 0);
    template.resourceCountIs('AWS::EC2::NatGateway', 0);
    for (const service of ['ecr.api', 'ecr.dkr', 'logs', 'ssm', 'ssmmessages', 'secretsmanager']) {
      template.hasResourceProperties('AWS::EC2::VPCEndpoint', {
        ServiceName: `com.amazonaws.eu-central-1.${service}`,
        VpcEndpointType: 'Interface',
        PrivateDnsEnabled: true,
      });
    }
    template.hasResourceProperties('AWS::EC2::VPCEndpoint', { VpcEndpointType: 'Gateway' });
    template.hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: [
        { CidrIp: '10.9.0.0/16', FromPort: 443, ToPort: 443, IpProtocol: 'tcp', Description: 'HTTPS from the VPC' },
      ],
    });
  });

  it('empties the default security group when asked, and makes no function otherwise', () => {
    const plain = emptyStack();
    new AgentNetwork(plain, 'Network', { availabilityZones: ZONES });
    Template.fromStack(plain).resourceCountIs('AWS::Lambda::Function', 0);

    const restricted = emptyStack();
    new AgentNetwork(restricted, 'Network', { availabilityZones: ZONES, restrictDefaultSecurityGroup: true });
    Template.fromStack(restricted).hasResourceProperties('Custom::VpcRestrictDefaultSG', {
      DefaultSecurityGroupId: Match.anyValue(),
    });
  });

  it('refuses a number of zones beside their names', () => {
    expect(() => new AgentNetwork(emptyStack(), 'Network', { maxAzs: 2, availabilityZones: ZONES })).toThrow(
      'maxAzs and availabilityZones cannot be used together: give the names of the zones or their number',
    );
  });

  it.each([
    [NetworkMode.PUBLIC, ['subnet-a', 'subnet-b'], true],
    [NetworkMode.PRIVATE_NAT, ['subnet-c', 'subnet-d'], false],
  ])('takes the subnets of an existing VPC that fit the mode %s', (mode, subnetIds, assignPublicIp) => {
    const stack = emptyStack();
    const network = AgentNetwork.fromVpc(stack, 'Network', { vpc: existingVpc(stack), mode });

    expect(network).toMatchObject({ subnetIds, assignPublicIp });
  });

  it('takes a VPC and subnets by their ids', () => {
    const network = AgentNetwork.fromAttributes(emptyStack(), 'Network', { vpcId: 'vpc-1', subnetIds: ['subnet-1'] });

    expect(network).toMatchObject({ subnetIds: ['subnet-1'], assignPublicIp: true });
    expect(network.vpc.vpcId).toBe('vpc-1');
  });

  it('refuses an existing network without a subnet', () => {
    expect(() => AgentNetwork.fromAttributes(emptyStack(), 'Network', { vpcId: 'vpc-1', subnetIds: [] })).toThrow(
      'hosts need at least one subnet: give subnetIds',
    );
  });
});
