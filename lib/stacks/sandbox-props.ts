import type { Stack } from 'aws-cdk-lib';
import { Duration } from 'aws-cdk-lib';
import { Certificate } from 'aws-cdk-lib/aws-certificatemanager';
import type { ISubnet } from 'aws-cdk-lib/aws-ec2';
import { Subnet } from 'aws-cdk-lib/aws-ec2';
import { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { AgentImage } from '../constructs/environment/agent-image';
import type { IAgentNetwork } from '../constructs/environment/agent-network';
import { AgentNetwork, NetworkMode } from '../constructs/environment/agent-network';
import type { SandboxEnvironmentProps } from '../constructs/sandbox/sandbox-environment';
import { SandboxEgress } from '../constructs/sandbox/sandbox-security-group';
import type { SandboxServiceProps } from '../constructs/sandbox/sandbox-service';
import type { Settings } from './context';
import { buildArgsOf, CONTAINER_INSIGHTS, reaperOptions } from './environment-props';
import { networkModeOf } from './sandbox-settings';

/** The construct props that settings of sandboxes mean; the rest is as for agents' hosts. */
export function sandboxPropsOf(stack: Stack, network: IAgentNetwork, settings: Settings): SandboxEnvironmentProps {
  const { sandboxImage, imageBuildArgs, containerInsights } = settings;
  return {
    network,
    namePrefix: settings.namePrefix,
    spot: settings.spot,
    containerInsights: containerInsights === undefined ? undefined : CONTAINER_INSIGHTS[containerInsights],
    image: sandboxImage === undefined ? undefined : AgentImage.fromUri(stack, 'ExistingSandboxImage', sandboxImage),
    imageBuildArgs:
      sandboxImage !== undefined || imageBuildArgs === undefined ? undefined : buildArgsOf(imageBuildArgs),
    architecture: settings.architecture === 'ARM64' ? CpuArchitecture.ARM64 : CpuArchitecture.X86_64,
    cpu: settings.sandboxCpu,
    memoryLimitMiB: settings.sandboxMemory,
    egress: networkModeOf(settings) === NetworkMode.PRIVATE_ENDPOINTS ? SandboxEgress.HTTPS : SandboxEgress.ANY,
    reaper: settings.reaper,
    reaperOptions: settings.reaper === false ? undefined : reaperOptions(settings),
    logRetention: settings.logRetentionDays,
  };
}

/** The props of the service that the settings mean; undefined where the stack has none to run. */
export function sandboxServicePropsOf(
  stack: Stack,
  { sandboxes, alarmTopic }: Pick<SandboxServiceProps, 'sandboxes' | 'alarmTopic'>,
  settings: Settings,
): SandboxServiceProps | undefined {
  const { sandboxCertificateArn, sandboxCidr = [], sandboxDefaultTtl, sandboxServiceImage } = settings;
  if (sandboxCertificateArn === undefined) return undefined;
  const { network } = sandboxes;
  const internal = settings.sandboxInternal ?? networkModeOf(settings) === NetworkMode.PRIVATE_ENDPOINTS;
  const subnets = subnetsOf(network);
  return {
    sandboxes,
    alarmTopic,
    subnets,
    loadBalancerSubnets: loadBalancerSubnetsOf(stack, network, settings, internal),
    internetFacing: !internal,
    certificate: Certificate.fromCertificateArn(stack, 'SandboxCertificate', sandboxCertificateArn),
    sources: sandboxCidr,
    domainName: settings.sandboxDomain,
    image:
      sandboxServiceImage === undefined
        ? undefined
        : AgentImage.fromUri(stack, 'ExistingSandboxServiceImage', sandboxServiceImage),
    maxSessions: settings.sandboxMaxSessions,
    defaultTtl: sandboxDefaultTtl === undefined ? undefined : Duration.seconds(sandboxDefaultTtl),
    logRetention: settings.logRetentionDays,
  };
}

const subnetsOf = (network: IAgentNetwork): ISubnet[] =>
  network instanceof AgentNetwork
    ? network.subnets
    : network.subnetIds.map((id, index) => Subnet.fromSubnetId(network, `Subnet${index}`, id));

function loadBalancerSubnetsOf(stack: Stack, network: IAgentNetwork, settings: Settings, internal: boolean): ISubnet[] {
  const ids = settings.sandboxLoadBalancerSubnetIds;
  if (ids !== undefined) return ids.map((id, index) => Subnet.fromSubnetId(stack, `SandboxFrontSubnet${index}`, id));
  return internal ? subnetsOf(network) : network.vpc.publicSubnets;
}
