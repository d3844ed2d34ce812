import { EPHEMERAL_STORAGE } from '../../contract/fargate-sizes';

/**
 * Public list prices of Fargate for Linux in US dollars (aws.amazon.com/fargate/pricing, aws.amazon.com/vpc/pricing). The
 * prices of us-east-1 were compared with other published figures in June 2026. Those of other regions were not, and may be
 * wrong by a few percent. Costs are estimates: discounts, taxes, data transfer, logs and free tiers are not included, Spot
 * prices vary, and a region that isn't listed gets us-east-1's prices.
 */
export const PRICES_AS_OF = '2026-06';

interface RegionPrices {
  /** Per vCPU and hour, per GB and hour. */
  readonly cpu: number;
  readonly memory: number;
}

const X86: Readonly<Record<string, RegionPrices>> = {
  'us-east-1': { cpu: 0.04048, memory: 0.004445 },
  'us-east-2': { cpu: 0.04048, memory: 0.004445 },
  'us-west-2': { cpu: 0.04048, memory: 0.004445 },
  'us-west-1': { cpu: 0.04656, memory: 0.00511 },
  'ca-central-1': { cpu: 0.04456, memory: 0.004865 },
  'eu-west-1': { cpu: 0.04048, memory: 0.004445 },
  'eu-west-2': { cpu: 0.04656, memory: 0.00511 },
  'eu-west-3': { cpu: 0.0486, memory: 0.0053 },
  'eu-central-1': { cpu: 0.04656, memory: 0.00511 },
  'eu-north-1': { cpu: 0.0445, memory: 0.0049 },
  'ap-northeast-1': { cpu: 0.05056, memory: 0.00553 },
  'ap-southeast-1': { cpu: 0.05056, memory: 0.00553 },
  'ap-southeast-2': { cpu: 0.04856, memory: 0.00532 },
  'ap-south-1': { cpu: 0.04256, memory: 0.004655 },
  'sa-east-1': { cpu: 0.0696, memory: 0.0076 },
};

/** The region whose prices are used for a region that isn't listed. */
export const DEFAULT_PRICE_REGION = 'us-east-1';

/** Graviton costs a fifth less than x86 in every region of the price list. */
const ARM_FACTOR = 0.8;
/** Spot is "up to 70 %" below on-demand. This was the discount in most regions when this was written. */
const SPOT_FACTOR = 0.3;
/** Per GB and hour above what every task includes. US dollars. */
const STORAGE = 0.000111;
/** Per public IPv4 address and hour, in every region. US dollars. */
const PUBLIC_IPV4 = 0.005;
/** Fargate bills by the second, for at least one minute. */
const MINIMUM_SECONDS = 60;

export interface BilledHost {
  readonly region: string;
  /** CPU units, MiB, GiB. */
  readonly cpu: number;
  readonly memory: number;
  readonly ephemeralStorage: number;
  readonly architecture: string | null;
  readonly spot: boolean;
  readonly publicIp: boolean;
}

/** True if the list has prices for the region. */
export const hasOwnPrices = (region: string): boolean => Object.hasOwn(X86, region);

/** The estimated cost per hour, in US dollars. */
export function hourlyCost(host: BilledHost): number {
  const prices = X86[host.region] ?? (X86[DEFAULT_PRICE_REGION] as RegionPrices);
  const compute = (host.cpu / 1024) * prices.cpu + (host.memory / 1024) * prices.memory;
  const factor = (host.architecture === 'ARM64' ? ARM_FACTOR : 1) * (host.spot ? SPOT_FACTOR : 1);
  const storage = Math.max(0, host.ephemeralStorage - EPHEMERAL_STORAGE.included) * STORAGE;
  return compute * factor + storage + (host.publicIp ? PUBLIC_IPV4 : 0);
}

/** When billing of a run ends. */
export const billedUntil = (from: Date, until: Date): Date =>
  new Date(Math.max(until.getTime(), from.getTime() + MINIMUM_SECONDS * 1000));

/** The estimated cost of a run, in US dollars. Billing begins with the image pull. */
export function costOf(host: BilledHost, from: Date | undefined, until: Date): number {
  if (from === undefined) return 0;
  return (hourlyCost(host) * (billedUntil(from, until).getTime() - from.getTime())) / 3_600_000;
}
