import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { Peer, Port } from 'aws-cdk-lib/aws-ec2';
import { SSH_WARNINGS, SshSecurityGroup } from '../../../lib/constructs';
import { emptyStack, existingVpc } from '../../support/cdk/construct-stack';

const groupWith = (sources?: string[], ipv6?: boolean) => {
  const stack = emptyStack();
  const vpc = existingVpc(stack);
  return { stack, vpc, group: new SshSecurityGroup(stack, 'Ssh', { vpc, sources, ipv6 }) };
};

describe('SshSecurityGroup', () => {
  it('admits nobody unless asked', () => {
    const template = Template.fromStack(groupWith().stack);

    template.hasResourceProperties('AWS::EC2::SecurityGroup', { SecurityGroupIngress: Match.absent() });
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
  });

  it('admits each source to port 22 and to nothing else, and says who it is', () => {
    const { stack } = groupWith(['203.0.113.7', '198.51.100.0/24', '2001:db8::/48']);

    Template.fromStack(stack).hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupIngress: [
        {
          CidrIp: '203.0.113.7/32',
          IpProtocol: 'tcp',
          FromPort: 22,
          ToPort: 22,
          Description: 'SSH from 203.0.113.7/32',
        },
        {
          CidrIp: '198.51.100.0/24',
          IpProtocol: 'tcp',
          FromPort: 22,
          ToPort: 22,
          Description: 'SSH from 198.51.100.0/24',
        },
        {
          CidrIpv6: '2001:db8::/48',
          IpProtocol: 'tcp',
          FromPort: 22,
          ToPort: 22,
          Description: 'SSH from 2001:db8::/48',
        },
      ],
    });
  });

  it('lets hosts out everywhere, over IPv4 and IPv6', () => {
    Template.fromStack(groupWith().stack).hasResourceProperties('AWS::EC2::SecurityGroup', {
      SecurityGroupEgress: [
        Match.objectLike({ CidrIp: '0.0.0.0/0', IpProtocol: '-1' }),
        Match.objectLike({ CidrIpv6: '::/0', IpProtocol: '-1' }),
      ],
    });
  });

  it('refuses a source that is no network', () => {
    expect(() => groupWith(['office'])).toThrow('"office" is not an IP network');
  });

  const warns = (stack: ReturnType<typeof emptyStack>, id: string): number =>
    Annotations.fromStack(stack).findWarning('*', Match.stringLikeRegexp(id)).length;

  it.each([[['0.0.0.0/0']], [['::/0']], [['0.0.0.0/1', '128.0.0.0/1']]])(
    'warns of %j, which is the world',
    (sources) => {
      expect(warns(groupWith(sources).stack, SSH_WARNINGS.worldOpen)).toBeGreaterThan(0);
    },
  );

  it.each([[['203.0.113.7']], [['10.0.0.0/8']], [['2001:db8::/32']]])('does not warn of %j', (sources) => {
    expect(warns(groupWith(sources).stack, SSH_WARNINGS.worldOpen)).toBe(0);
  });

  it('warns when nobody can reach SSH, and not once connections allow somebody in', () => {
    expect(warns(groupWith().stack, SSH_WARNINGS.closed)).toBe(1);

    const { stack, group } = groupWith();
    group.connections.allowFrom(Peer.ipv4('10.0.0.0/8'), Port.SSH, 'the bastion');
    expect(warns(stack, SSH_WARNINGS.closed)).toBe(0);

    const other = groupWith();
    const bastion = new SshSecurityGroup(other.stack, 'Bastion', { vpc: other.vpc, sources: ['203.0.113.7'] });
    other.group.connections.allowFrom(bastion, Port.SSH);
    expect(warns(other.stack, SSH_WARNINGS.closed)).toBe(0);
  });

  it('warns of an IPv6 source where hosts have no IPv6 address', () => {
    expect(warns(groupWith(['2001:db8::/48'], false).stack, SSH_WARNINGS.ipv6WithoutAddresses)).toBe(1);
    expect(warns(groupWith(['2001:db8::/48'], true).stack, SSH_WARNINGS.ipv6WithoutAddresses)).toBe(0);
  });
});
