import type * as z from 'zod';
import { fargateSizeProblem } from '../contract/fargate-sizes';
import { NetworkMode } from '../constructs/environment/agent-network';
import { flag, textLike, wholeNumber } from './context-values';
import type { Settings } from './context';

/** Context keys of the sandbox service, in the order of docs/configuration.md. */
export const SANDBOX_SETTINGS = {
  sandbox: flag,
  sandboxImage: textLike(/^[^\s]+$/, 'an image reference: use registry/repository:tag'),
  sandboxCpu: wholeNumber(256, 16_384),
  sandboxMemory: wholeNumber(512, 122_880),
} as const;

export type SandboxSettings = {
  readonly [Key in keyof typeof SANDBOX_SETTINGS]?: z.output<(typeof SANDBOX_SETTINGS)[Key]>;
};

const SANDBOX_DEFAULTS = { cpu: 512, memory: 1024 } as const;

/** Problems between these settings and with the network, each line with the key first that it is about. */
export function* sandboxContradictions(
  settings: SandboxSettings & { readonly network?: NetworkMode; readonly vpcId?: string },
): Generator<string> {
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
}

/** With sandboxes, the network that a stack makes has private subnets unless another was asked for. */
export const networkModeOf = ({ sandbox, network, vpcId }: Settings): NetworkMode | undefined =>
  network ?? (sandbox === true && vpcId === undefined ? NetworkMode.PRIVATE_NAT : undefined);
