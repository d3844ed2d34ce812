import type { Stack } from 'aws-cdk-lib';
import { CpuArchitecture } from 'aws-cdk-lib/aws-ecs';
import { AgentImage } from '../constructs/environment/agent-image';
import type { IAgentNetwork } from '../constructs/environment/agent-network';
import { NetworkMode } from '../constructs/environment/agent-network';
import type { SandboxEnvironmentProps } from '../constructs/sandbox/sandbox-environment';
import { SandboxEgress } from '../constructs/sandbox/sandbox-security-group';
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
    reaperOptions: settings.reaper === false ? undefined : { ...reaperOptions(settings), revisions: false },
    logRetention: settings.logRetentionDays,
  };
}
