import type { BucketLimits } from '../../lib/local/control/token-bucket';
import { ECS_THROTTLES } from '../../lib/local/services/ecs/throttles';

/** The buckets that an ECS operation (`ecs:Operation`) takes from, as AWS publishes them. */
export const limitsOf = (operation: string): readonly BucketLimits[] =>
  ECS_THROTTLES.filter(({ operations }) => operations.includes(operation)).map(({ limits }) => limits);

/** When full buckets let the last of so many calls through, in milliseconds after the first. */
export const drainedMs = (limits: readonly BucketLimits[], calls: number): number =>
  Math.max(0, ...limits.map(({ burst, perSecond }) => ((calls - burst) / perSecond) * 1000));
