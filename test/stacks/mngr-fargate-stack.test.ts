import { Annotations, Match, Template } from 'aws-cdk-lib/assertions';
import { SSH_WARNINGS } from '../../lib/constructs';
import { STACK_OUTPUTS } from '../../lib/contract/outputs';
import { OPTIONAL_OUTPUTS } from '../support/assertions/optional-outputs';
import { STACK_VARIANTS } from '../support/cdk/stack-variants';
import { appFor, templateFor } from '../support/cdk/synthesized-app';
import { snapshotOf } from '../support/assertions/template-snapshot';

const variant = (name: string): Readonly<Record<string, string>> => STACK_VARIANTS[name] as Record<string, string>;

describe('the template', () => {
  it.each(['default', 'private network with endpoints', 'existing network and cluster', 'every size and limit'])(
    'of the variant "%s" stays as it was reviewed',
    (name) => {
      expect(snapshotOf(templateFor(variant(name)))).toMatchSnapshot();
    },
  );

  it.each([{}, { account: '', region: '' }, variant('sandbox service')])(
    'passes the validator of the CDK, with %j',
    (place) => {
      expect(() => appFor({ sshCidr: '203.0.113.7', ...place }, { validate: true }).app.synth()).not.toThrow();
    },
  );

  it('names nothing but the cluster and the family, so a second environment with a prefix fits beside it', () => {
    const names = (context: Record<string, string>): string[] =>
      Object.values(templateFor(context).toJSON().Resources as Record<string, { Properties?: object }>).flatMap(
        ({ Properties = {} }) =>
          Object.entries(Properties)
            .filter(
              ([key, value]) =>
                /^(ClusterName|Family|.*RoleName|ManagedPolicyName|LogGroupName|GroupName)$/.test(key) &&
                typeof value === 'string',
            )
            .map(([, value]) => String(value)),
      );

    expect(names({}).sort()).toEqual(['mngr', 'mngr-task']);
    expect(names({ namePrefix: 'team-a' }).sort()).toEqual(['team-a-mngr', 'team-a-mngr-task']);
  });

  it('asks no availability zone of AWS: CloudFormation picks them', () => {
    const { app } = appFor({});
    const assembly = app.synth();

    expect(assembly.manifest.missing ?? []).toEqual([]);
    Template.fromStack(appFor({ maxAzs: '3' }).stack).resourceCountIs('AWS::EC2::Subnet', 3);
  });

  it('needs a lookup for a VPC without subnets, and nothing else', () => {
    const assembly = appFor({ vpcId: 'vpc-0123456789abcdef0' }).app.synth();

    expect(assembly.manifest.missing?.map(({ provider }) => provider)).toEqual(['vpc-provider']);
  });

  it('says what a lookup needs', () => {
    expect(() => appFor({ vpcId: 'vpc-0123456789abcdef0', account: '' })).toThrow(
      "the subnets of vpc-0123456789abcdef0 can't be looked up without knowing where it is: give account and region, or give subnetIds, which needs no lookup",
    );
  });

  it('calls the stack mngr-fargate, with the prefix, or as asked', () => {
    expect(appFor({}).stack.stackName).toBe('mngr-fargate');
    expect(appFor({ namePrefix: 'team-a' }).stack.stackName).toBe('team-a-mngr-fargate');
    expect(appFor({ namePrefix: 'team-a', stackName: 'agents' }).stack.stackName).toBe('agents');
    expect(appFor({}).stack.templateFile).toBe('mngr-fargate.template.json');
  });
});

describe('the outputs', () => {
  it('are those of the contract', () => {
    const without = Object.keys(templateFor({}).toJSON().Outputs as object);
    const complete = Object.keys(templateFor({ defaultMaxAge: '3600', proxyJump: 'gate' }).toJSON().Outputs as object);

    expect(complete.sort()).toEqual(Object.values(STACK_OUTPUTS).sort());
    expect(without.sort()).toEqual(complete.filter((name) => !OPTIONAL_OUTPUTS.has(name)).sort());
  });

  it('give the settings back', () => {
    const template = templateFor(variant('every size and limit'));

    const wanted = {
      AwsRegion: 'eu-central-1',
      TaskDefinition: 'team-a-mngr-task',
      AssignPublicIp: 'true',
      ContainerName: 'agent',
      Cpu: '4096',
      Memory: '16384',
      DefaultIdleTimeout: '600',
      DefaultMaxAge: '86400',
      Architecture: 'ARM64',
    };
    for (const [name, Value] of Object.entries(wanted)) template.hasOutput(name, { Value });
  });

  it('name existing parts as they were given', () => {
    const template = templateFor(variant('existing network and cluster'));

    template.hasOutput('EcsCluster', { Value: 'team-cluster' });
    template.hasOutput('Subnets', { Value: 'subnet-0123456789abcdef0,subnet-0123456789abcdef1' });
    template.hasOutput('SecurityGroups', { Value: 'sg-0123456789abcdef0' });
    template.resourceCountIs('AWS::EC2::VPC', 0);
    template.resourceCountIs('AWS::ECS::Cluster', 0);
    template.resourceCountIs('AWS::EC2::SecurityGroup', 0);
  });
});

describe('the warnings', () => {
  const warnings = (context: Record<string, string>): string[] => {
    const found = Annotations.fromStack(appFor(context).stack).findWarning('*', Match.anyValue());
    return found.map(({ entry }) => String(entry.data));
  };

  it('say how to open SSH when nobody can reach it', () => {
    const closed = warnings({ sessionSsh: 'false' });

    expect(closed).toEqual([expect.stringContaining(`-c sshCidr=<your address>/32`)]);
    expect(closed[0]).toContain(SSH_WARNINGS.closed);
  });

  it('are absent by default, as Session Manager needs no open port', () => {
    expect(warnings({})).toEqual([]);
  });

  it('say how to narrow SSH that is open to the world', () => {
    expect(warnings({ sshCidr: '0.0.0.0/0' })).toEqual([expect.stringContaining('-c sshCidr=203.0.113.7/32')]);
  });

  it('are absent for a narrow source', () => {
    expect(warnings({ sshCidr: '203.0.113.7/32' })).toEqual([]);
  });

  it('say that an IPv6 source reaches nothing in a VPC without IPv6', () => {
    expect(warnings({ sshCidr: '203.0.113.7,2001:db8::/48' })).toEqual([
      expect.stringContaining('2001:db8::/48 has no effect'),
    ]);
  });

  it('are absent for a security group that is managed elsewhere', () => {
    expect(warnings(variant('existing network and cluster'))).toEqual([]);
  });
});
