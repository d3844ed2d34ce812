import type { Task } from '@aws-sdk/client-ecs';

export interface PlanInput {
  /** Tasks of the service that should run, oldest first. */
  readonly live: readonly Task[];
  /** Id of the deployment whose tasks should stay. */
  readonly primary: string;
  readonly desiredCount: number;
  /** Percentages of the desired count. */
  readonly maximum: number;
  readonly minimum: number;
}

export interface Plan {
  readonly stop: readonly Task[];
  /** How many tasks of the primary deployment to start. */
  readonly start: number;
}

const isRunning = ({ lastStatus }: Task): boolean => lastStatus === 'RUNNING';

/**
 * The next step to the desired count. While tasks of earlier deployments are replaced, the running ones never fall below
 * the minimum (rounded up), and running and pending ones together never exceed the maximum (rounded down; ECS developer
 * guide, "Deploy Amazon ECS services by replacing tasks").
 */
export function planOf({ live, primary, desiredCount, maximum, minimum }: PlanInput): Plan {
  const current = live.filter(({ startedBy }) => startedBy === primary);
  const earlier = live.filter(({ startedBy }) => startedBy !== primary);
  const lowest = Math.ceil((desiredCount * minimum) / 100);
  const highest = Math.floor((desiredCount * maximum) / 100);
  // Those that aren't running yet are stopped first, then the newest.
  const surplus = current.toSorted((a, b) => Number(isRunning(b)) - Number(isRunning(a))).slice(desiredCount);
  const spare = live.filter((task) => isRunning(task) && !surplus.includes(task)).length - lowest;
  const waiting = earlier.filter((task) => !isRunning(task));
  const replaceable = earlier.filter(isRunning).slice(0, Math.max(0, spare));
  const stop = [...surplus, ...waiting, ...replaceable];
  const room = highest - (live.length - stop.length);
  return { stop, start: Math.max(0, Math.min(desiredCount - current.length, room)) };
}
