import type * as z from 'zod';
import { fargateSizeProblem } from '../contract/fargate-sizes';
import { NetworkMode } from '../constructs/environment/agent-network';
import { cidr, flag, imageReference, listOf, subnetId, textLike, wholeNumber } from './context-values';
import type { Settings } from './context';

/** Context keys of the sandbox service, in the order of docs/configuration.md. */
export const SANDBOX_SETTINGS = {
  sandbox: flag,
  sandboxImage: imageReference,
  sandboxCpu: wholeNumber(256, 16_384),
  sandboxMemory: wholeNumber(512, 122_880),

  sandboxCertificateArn: textLike(
    /^arn:[\w-]+:acm:[a-z0-9-]+:\d{12}:certificate\/[\w-]+$/,
    'the ARN of a certificate: use arn:aws:acm:REGION:ACCOUNT:certificate/ID',
  ),
  sandboxCidr: listOf(cidr),
  sandboxDomain: textLike(
    /^(?=.{4,253}$)([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}$/,
    'a name in the DNS: use lower case and dots, for example sandbox.example.com',
  ),
  sandboxInternal: flag,
  sandboxLoadBalancerSubnetIds: listOf(subnetId),
  sandboxMaxSessions: wholeNumber(1, 100_000),
  sandboxDefaultTtl: wholeNumber(5, 86_400),
  sandboxServiceImage: imageReference,
} as const;

export type SandboxSettings = {
  readonly [Key in keyof typeof SANDBOX_SETTINGS]?: z.output<(typeof SANDBOX_SETTINGS)[Key]>;
};

/** Keys that say something about the service, which the stack runs only with a certificate for it. */
const SERVICE_KEYS = [
  'sandboxCidr',
  'sandboxDomain',
  'sandboxInternal',
  'sandboxLoadBalancerSubnetIds',
  'sandboxMaxSessions',
  'sandboxDefaultTtl',
  'sandboxServiceImage',
] as const satisfies readonly (keyof SandboxSettings)[];

const SANDBOX_DEFAULTS = { cpu: 512, memory: 1024 } as const;

interface SurroundingSettings {
  readonly network?: NetworkMode;
  readonly vpcId?: string;
  readonly region?: string;
  readonly maxAzs?: number;
  readonly availabilityZones?: readonly string[];
}

/** Problems between these settings and with the network, each line with the key first that it is about. */
export function* sandboxContradictions(settings: SandboxSettings & SurroundingSettings): Generator<string> {
  const { sandbox, network, vpcId } = settings;
  if (sandbox !== true) {
    for (const key of Object.keys(SANDBOX_SETTINGS) as (keyof typeof SANDBOX_SETTINGS)[]) {
      if (key !== 'sandbox' && settings[key] !== undefined) yield `${key}: has no effect without sandbox=true`;
    }
    return;
  }
  if (network === NetworkMode.PUBLIC || (vpcId !== undefined && network === undefined)) {
    yield `network: sandboxes have no public address, so they need network=${NetworkMode.PRIVATE_NAT} or network=${NetworkMode.PRIVATE_ENDPOINTS}`;
  }
  const size = fargateSizeProblem(
    settings.sandboxCpu ?? SANDBOX_DEFAULTS.cpu,
    settings.sandboxMemory ?? SANDBOX_DEFAULTS.memory,
  );
  if (size !== undefined) yield `sandboxMemory: ${size}`;
  yield* serviceContradictions(settings);
}

/** Problems of the service that the stack runs. */
function* serviceContradictions(settings: SandboxSettings & SurroundingSettings): Generator<string> {
  const { sandboxCertificateArn, network, vpcId, region } = settings;
  if (sandboxCertificateArn === undefined) {
    for (const key of SERVICE_KEYS) {
      if (settings[key] !== undefined) yield `${key}: has no effect without sandboxCertificateArn`;
    }
    return;
  }
  const certificateRegion = sandboxCertificateArn.split(':')[3];
  if (region !== undefined && certificateRegion !== region) {
    yield `sandboxCertificateArn: the certificate is in ${certificateRegion}, and a load balancer takes only those of its own region, ${region}`;
  }
  if (settings.sandboxCidr === undefined) {
    yield 'sandboxCidr: say who may reach the service, for example sandboxCidr=203.0.113.0/24';
  }
  if (network === NetworkMode.PRIVATE_ENDPOINTS && settings.sandboxInternal === false) {
    yield 'sandboxInternal: with network=private-endpoints the service has no way to be anything but internal: leave it out';
  }
  if (vpcId !== undefined && settings.sandboxLoadBalancerSubnetIds === undefined) {
    yield 'sandboxLoadBalancerSubnetIds: needed with vpcId: name subnets in two zones, public ones unless sandboxInternal=true';
  }
  if (vpcId === undefined && settings.sandboxLoadBalancerSubnetIds !== undefined) {
    yield 'sandboxLoadBalancerSubnetIds: needs vpcId, the VPC that the subnets are in';
  }
  if (settings.sandboxLoadBalancerSubnetIds?.length === 1) {
    yield 'sandboxLoadBalancerSubnetIds: a load balancer needs subnets in two zones: name another one';
  }
  if (vpcId === undefined && (settings.availabilityZones?.length ?? settings.maxAzs) === 1) {
    yield 'sandboxCertificateArn: a load balancer needs two zones: use maxAzs=2 or more';
  }
}

/** With sandboxes, the network that a stack makes has private subnets unless another was asked for. */
export const networkModeOf = ({ sandbox, network, vpcId }: Settings): NetworkMode | undefined =>
  network ?? (sandbox === true && vpcId === undefined ? NetworkMode.PRIVATE_NAT : undefined);
