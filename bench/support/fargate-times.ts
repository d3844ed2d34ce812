import type { Delays } from '../../lib/local/control/delays';

/**
 * How long Fargate takes, in milliseconds. AWS publishes no figures of its own for these stretches; these follow what
 * users have published: network interfaces attached in under 10 s, and about 20 s from RunTask to a small image that
 * runs (docs/benchmarks.md names the sources). ECS says RUNNING a moment after the container has started.
 */
export const FARGATE_TIMES: Delays = {
  provisioning: { min: 6_000, max: 10_000 },
  pending: { min: 500, max: 1_500 },
  pull: { min: 5_000, max: 9_000 },
  activating: { min: 500, max: 2_000 },
};

/** The same without chance, where a total is compared with an ideal. */
export const STEADY_FARGATE_TIMES = { provisioning: 8_000, pending: 1_000, pull: 7_000, activating: 1_000 } as const;

/** From RunTask until a steady task's container starts. */
export const STEADY_START_MS =
  STEADY_FARGATE_TIMES.provisioning + STEADY_FARGATE_TIMES.pending + STEADY_FARGATE_TIMES.pull;
