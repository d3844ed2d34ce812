import { App, Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { AgentNetworkProps } from '../../../lib/constructs';
import { AgentNetwork, NetworkMode } from '../../../lib/constructs';

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

const stackIn = (region: string | undefined): Stack =>
  new Stack(new App({ analyticsReporting: false, builtinCloudFormationValidation: false }), 'Team', {
    env: { region, account: region === undefined ? undefined : '123456789012' },
  });

const resourcesOf = (props: AgentNetworkProps, stack = stackIn('us-east-1')): Record<string, Resource> => {
  new AgentNetwork(stack, 'Network', { flowLogs: false, ...props });
  return Template.fromStack(stack).toJSON().Resources as Record<string, Resource>;
};

const subnetsOf = (props: AgentNetworkProps): Map<string, string> =>
  new Map(
    Object.entries(resourcesOf(props))
      .filter(([, { Type }]) => Type === 'AWS::EC2::Subnet')
      .map(([id, { Properties }]) => [id, Properties.CidrBlock as string]),
  );

const range = (cidr: string): readonly [number, number] => {
  const [address = '', prefix] = cidr.split('/');
  const first = address.split('.').reduce((sum, byte) => sum * 256 + Number(byte), 0);
  return [first, first + 2 ** (32 - Number(prefix))];
};
const overlap = (one: string, other: string): boolean => {
  const [[a, b], [c, d]] = [range(one), range(other)];
  return a < d && c < b;
};

const MODES = Object.values(NetworkMode);
const counted = MODES.flatMap((mode) => [1, 2, 3, 4, 5, 6].map((maxAzs): AgentNetworkProps => ({ mode, maxAzs })));
const named = MODES.flatMap((mode) =>
  ['ab', 'bc', 'ca', 'fed', 'abcdef'].map((letters): AgentNetworkProps => ({
    mode,
    availabilityZones: [...letters].map((letter) => `us-east-1${letter}`),
  })),
);

describe('the addresses of subnets', () => {
  const layouts = [...counted, ...named].map(subnetsOf);

  it('never move, for any change of zones and mode', () => {
    const blocks = new Map<string, string>();
    for (const layout of layouts) {
      for (const [id, cidr] of layout) {
        expect({ id, cidr: blocks.get(id) ?? cidr }).toEqual({ id, cidr });
        blocks.set(id, cidr);
      }
    }
    // Before an update is over the subnets of both templates are there.
    const all = [...blocks.values()];
    for (const [index, cidr] of all.entries()) {
      expect(all.slice(index + 1).filter((other) => overlap(cidr, other))).toEqual([]);
    }
  });

  it('lie in the VPC, in every size that it may have', () => {
    for (const vpcCidr of ['10.0.0.0/16', '172.16.0.0/20', '192.168.4.0/23', '192.168.4.0/24']) {
      const [first, end] = range(vpcCidr);
      const blocks = [...subnetsOf({ vpcCidr, maxAzs: 6, mode: NetworkMode.PRIVATE_NAT }).values()].map(range);

      expect(blocks).toHaveLength(12);
      expect(blocks.every(([from, to]) => from >= first && to <= end && to - from >= 16)).toBe(true);
    }
  });

  it('are of a VPC with new gateways when its network changes, as the old ones are still in use', () => {
    const props = { mode: NetworkMode.PRIVATE_NAT };
    const before = resourcesOf(props);
    const after = resourcesOf({ ...props, vpcCidr: '10.1.0.0/16' });

    expect(Object.keys(after).filter((id) => id in before)).toEqual([]);
  });

  it('belong to the zone that is named, with its route table, NAT gateway and address', () => {
    const of = (letters: string): Record<string, Resource> =>
      resourcesOf({
        mode: NetworkMode.PRIVATE_NAT,
        natGateways: 2,
        availabilityZones: [...letters].map((letter) => `us-east-1${letter}`),
      });
    const [before, after] = [of('ab'), of('bc')];
    const kept = Object.keys(after).filter((id) => id in before && /Subnet/.test(id));

    expect(kept.filter((id) => /SubnetB/.test(id))).toEqual(kept);
    expect(kept.map((id) => after[id])).toEqual(kept.map((id) => before[id]));
    expect(kept.map((id) => after[id]?.Type)).toEqual(
      expect.arrayContaining(['AWS::EC2::Subnet', 'AWS::EC2::NatGateway', 'AWS::EC2::EIP', 'AWS::EC2::RouteTable']),
    );
  });
});

describe('zones without Fargate', () => {
  const zonesIn = (region: string | undefined, props: AgentNetworkProps = {}): unknown[] =>
    Object.values(resourcesOf(props, stackIn(region)))
      .filter(({ Type }) => Type === 'AWS::EC2::Subnet')
      .map(({ Properties }) => Properties.AvailabilityZoneId ?? 'any');

  it.each([
    ['us-west-1', ['usw1-az1', 'usw1-az3']],
    ['ca-central-1', ['cac1-az1', 'cac1-az2']],
    ['ap-northeast-1', ['apne1-az1', 'apne1-az2']],
    ['cn-north-1', ['cnn1-az1', 'cnn1-az2']],
    ['eu-central-1', ['any', 'any']],
  ])('are left out in %s', (region, zones) => {
    expect(zonesIn(region)).toEqual(zones);
  });

  it('are left out by the deployment if the region is only known there', () => {
    const stack = stackIn(undefined);
    const resources = resourcesOf({}, stack);
    const { Conditions } = Template.fromStack(stack).toJSON() as { Conditions: Record<string, unknown> };
    const [subnet] = Object.values(resources).filter(({ Type }) => Type === 'AWS::EC2::Subnet');

    expect(JSON.stringify(subnet?.Properties.AvailabilityZoneId)).toMatch(/"usw1-az1".*"AWS::NoValue"/);
    expect(subnet?.Properties.AvailabilityZone).toEqual({
      'Fn::If': [expect.stringContaining('HasZonesWithoutFargate'), { Ref: 'AWS::NoValue' }, expect.anything()],
    });
    expect(JSON.stringify(Conditions)).toContain('"ca-central-1"');
  });

  it('are no matter when the deployer names zones', () => {
    expect(zonesIn('us-west-1', { availabilityZones: ['us-west-1a', 'us-west-1c'] })).toEqual(['any', 'any']);
  });

  it.each<[string, AgentNetworkProps, RegExp]>([
    ['us-west-1', { maxAzs: 3 }, /^Team\/Network: 3 availability zones are too many for us-west-1/],
    ['us-east-1', { availabilityZones: ['us-west-2a'] }, /availability zone us-west-2a is not in us-east-1/],
    ['us-east-1', { availabilityZones: ['us-east-1a', 'us-east-1a'] }, /names a zone more than once/],
    ['us-east-1', { vpcCidr: '169.254.0.0/16' }, /169\.254\.0\.0\/16 is reserved/],
    ['us-east-1', { mode: NetworkMode.PRIVATE_NAT, natGateways: 3 }, /3 NAT gateways are too many for 2/],
    ['us-east-1', { maxAzs: 7, natGateways: 1 }, /maxAzs of 7 is out of range.*natGateways has no effect/],
  ])('and impossible networks are refused in %s: %j', (region, props, message) => {
    expect(() => new AgentNetwork(stackIn(region), 'Network', props)).toThrow(message);
  });
});
