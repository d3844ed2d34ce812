import fc from 'fast-check';
import { FARGATE_SIZES } from '../../lib/contract/fargate-sizes';
import { isMngrFargateError } from '../../lib/contract/errors';
import { CONTEXT_KEYS, readSettings } from '../../lib/stacks/context';
import { context as featureFlags } from '../../cdk.json';
import { problemsOf } from '../support/cdk/context-problems';

describe('context keys', () => {
  it('are all optional', () => {
    expect(readSettings({})).toEqual({});
  });

  it('read the same from -c, which gives text, and from cdk.json, which gives values', () => {
    const values = { cpu: 2048, memory: 8192, spot: false, sshCidr: ['203.0.113.7/32', '2001:db8::/48'], maxAzs: 3 };
    const texts = { cpu: '2048', memory: '8192', spot: 'false', sshCidr: '203.0.113.7/32, 2001:db8::/48', maxAzs: '3' };
    const json = { ...texts, sshCidr: '["203.0.113.7/32", "2001:db8::/48"]' };

    expect(readSettings(texts)).toEqual(values);
    expect(readSettings(json)).toEqual(values);
    expect(readSettings(values)).toEqual(values);
  });

  it('leave the CDK its own context: feature flags, switches of its CLI, results of lookups', () => {
    const cdk = {
      ...featureFlags,
      'aws:cdk:enable-path-metadata': true,
      'aws-cdk:enableDiffNoFail': 'true',
      'cli-telemetry': false,
      'availability-zones:account=123456789012:region=us-east-1': ['us-east-1a'],
      'vpc-provider:account=123456789012:filter.vpc-id=vpc-1:region=us-east-1': { vpcId: 'vpc-1' },
      'acknowledged-issue-numbers': [1],
    };

    expect(readSettings(cdk)).toEqual({});
  });

  it('take Fargate sizes that exist, in any spelling of the architecture', () => {
    for (const [cpu, memories] of FARGATE_SIZES) {
      for (const memory of memories) expect(readSettings({ cpu: String(cpu), memory })).toEqual({ cpu, memory });
    }
    for (const architecture of ['arm64', 'ARM64'])
      expect(readSettings({ architecture })).toEqual({ architecture: 'ARM64' });
    for (const architecture of ['x86_64', 'X86_64']) {
      expect(readSettings({ architecture })).toEqual({ architecture: 'X86_64' });
    }
  });

  it('take an address for the network of that address alone', () => {
    expect(readSettings({ sshCidr: '203.0.113.7,2001:db8::1' }).sshCidr).toEqual(['203.0.113.7/32', '2001:db8::1/128']);
  });
});

describe('context that is wrong', () => {
  it.each(['us-east-1', 'us-gov-west-1', 'ap-southeast-7', 'eusc-de-east-1', 'us-isob-east-1', 'us-west-9'])(
    'does not include the region %s',
    (region) => expect(readSettings({ region })).toEqual({ region }),
  );

  it.each([
    ['us-easst-1', 'us-east-1'],
    ['eu-centrl-1', 'eu-central-1'],
    ['us-east1', 'us-east-1'],
    ['uss-west-2', 'us-west-2'],
  ])('includes the region %s, which is probably %s', (region, meant) => {
    expect(problemsOf({ region })).toEqual([`region: "${region}" is not an AWS region: did you mean ${meant}?`]);
  });

  it('includes a security group without its VPC, and zones of another region', () => {
    expect(problemsOf({ securityGroupId: 'sg-0123456789abcdef0' })).toEqual([
      'securityGroupId: needs vpcId, the VPC that the group is in',
    ]);
    expect(problemsOf({ region: 'us-east-1', availabilityZones: 'us-east-1a,us-west-2b' })).toEqual([
      'availabilityZones: us-west-2b is not in region us-east-1',
    ]);
  });

  it.each([
    ['sshCIDR', 'sshCidr'],
    ['ssh-cidr', 'sshCidr'],
    ['sshCird', 'sshCidr'],
    ['vpcid', 'vpcId'],
    ['subnets', 'subnetIds'],
    ['secret', 'secrets'],
    ['clustername', 'clusterName'],
  ])('names the key that %s was meant to be', (typo, meant) => {
    expect(problemsOf({ [typo]: 'x' })).toEqual([`${typo}: no such key, did you mean ${meant}?`]);
  });

  it('lists the keys there are', () => {
    expect(() => readSettings({ colour: 'blue' })).toThrow(
      `  - colour: no such key\nallowed keys: ${CONTEXT_KEYS.join(', ')}`,
    );
  });

  it.each([
    ['account', '12345', '"12345" is not an AWS account id: use its 12 digits'],
    ['account', 123456789012, 'must be text'],
    ['region', 'Frankfurt', '"Frankfurt" is not an AWS region: use its code, for example us-east-1'],
    [
      'namePrefix',
      'team_',
      '"team_" is not a name prefix: use 2 to 32 letters, digits and hyphens, a letter first, no hyphen last',
    ],
    ['network', 'private', '"private" is not one of public, private-nat, private-endpoints'],
    ['sshCidr', '', 'is empty: give a value or leave the key out'],
    [
      'sshCidr',
      '203.0.113.7/24',
      '"203.0.113.7/24" has address bits after its prefix: use 203.0.113.7/32 for that one address, or the network\'s first address with /24',
    ],
    [
      'sshCidr',
      'my-office',
      '"my-office" is not an IP network: use CIDR notation, for example 203.0.113.7/32 or 2001:db8::/48',
    ],
    ['sshCidr', '["203.0.113.7/32"', 'must be a list: give values with commas between them, or a JSON list'],
    [
      'vpcCidr',
      '10.0.0.0/8',
      '"10.0.0.0/8" is not a network for a VPC: use IPv4 with /16 to /24, for example 10.0.0.0/16',
    ],
    ['maxAzs', '7', '7 is out of range: use a whole number from 1 to 6'],
    ['maxAzs', 'two', '"two" is not a whole number'],
    ['spot', 'yes', '"yes" is neither true nor false'],
    ['architecture', 'riscv', '"RISCV" is not one of X86_64, ARM64'],
    ['ephemeralStorage', '500', '500 is out of range: use a whole number from 20 to 200'],
    ['taskRolePolicies', 'ReadOnlyAccess', '"ReadOnlyAccess" is not the ARN of an IAM managed policy'],
    ['imageBuildArgs', 'BASE', '"BASE" is not a build argument: use NAME=value'],
    ['defaultMaxAge', '30', '30 is out of range: use a whole number from 60 to 31536000'],
    [
      'proxyJump',
      'gate:0',
      '"gate:0" is no bastion: it must be [USER@]HOST[:PORT], or several of them separated by commas, the nearest first; an IPv6 address stands in brackets',
    ],
    [
      'nagPacks',
      'CIS',
      '"CIS" is not one of none, AwsSolutions, HIPAA.Security, NIST.800.53.R4, NIST.800.53.R5, PCI.DSS.321',
    ],
  ])('%s=%j is refused with what is allowed', (key, value, problem) => {
    expect(problemsOf({ [key]: value })).toEqual([`${key}: ${problem}`]);
  });

  it('refuses a log retention that CloudWatch Logs lacks', () => {
    expect(problemsOf({ logRetentionDays: '10' })).toEqual([
      expect.stringMatching(
        /^logRetentionDays: CloudWatch Logs can't keep logs for 10 days: use one of 1, 3, 5, 7, 14, 30,/,
      ),
    ]);
  });

  it.each([
    [{ cpu: '1000' }, 'cpu 1000 is not a Fargate size: use one of 256, 512, 1024, 2048, 4096, 8192, 16384'],
    [{ cpu: '4096' }, 'memory 4096 MiB does not go with cpu 4096: use 8192 to 30720 in steps of 1024'],
    [{ subnetIds: 'subnet-0123456789abcdef0' }, 'subnetIds: needs vpcId, the VPC that the subnets are in'],
    [
      { vpcId: 'vpc-0123456789abcdef0', vpcCidr: '10.1.0.0/16' },
      'vpcCidr: has no effect together with vpcId: leave one of them out',
    ],
    [{ clusterName: 'team', spot: 'true' }, 'spot: has no effect together with clusterName: leave one of them out'],
    [{ image: 'a/b:1', agents: 'codex' }, 'agents: has no effect together with image: leave one of them out'],
    [{ natGateways: '2' }, 'natGateways: has no effect without network=private-nat'],
    [{ nagPacks: 'none,AwsSolutions' }, 'nagPacks: none cannot be combined with another pack'],
  ])('%j is refused, since nothing may be dropped silently', (context, problem) => {
    expect(problemsOf(context)).toEqual([problem]);
  });

  it('is reported all at once', () => {
    expect(problemsOf({ cpu: 'big', spot: 'maybe', colour: 'blue' })).toHaveLength(3);
  });

  it('never does anything but throw a usage error, whatever the values are', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...CONTEXT_KEYS), fc.oneof(fc.string(), fc.jsonValue())), (context) => {
        try {
          readSettings(context);
        } catch (error) {
          expect(isMngrFargateError(error) && error.code).toBe('usage');
        }
      }),
    );
  });
});
