import type { Task } from '@aws-sdk/client-ecs';
import type { Services } from '../services';
import { hasEnded, stoppedError } from '../ecs/stopped-task';
import type { CreateStep } from '../model/types';
import type { NewHost, ReachedHost } from './carrier';

/**
 * Opens the first channel to a host that is still starting, and gives up if its task stops.
 * Throws `task-stopped` or `no-capacity` if the task stops, and whatever the carrier throws.
 */
export async function reachNewHost(
  services: Services,
  host: NewHost,
  signal: AbortSignal,
  onStep: (step: CreateStep, task: Task) => void = () => undefined,
): Promise<ReachedHost> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  let latest: Task | undefined;
  let stopped: Task | undefined;
  let problem: unknown;
  let step: CreateStep = 'address';

  const unwatch = services.watch.watch(
    host.taskArn,
    (task) => {
      latest = task;
      onStep(step, task);
      if (!hasEnded(task)) return;
      stopped = task;
      ended.abort();
    },
    (error) => {
      problem = error;
      ended.abort();
    },
  );
  try {
    return await services.carrier.reach(host, either, () => {
      step = 'ssh';
      if (latest !== undefined) onStep(step, latest);
    });
  } catch (error) {
    if (stopped !== undefined) throw await stoppedError(stopped, host.name, services.config, services.logs);
    if (problem !== undefined && !signal.aborted) throw problem;
    throw error;
  } finally {
    unwatch();
  }
}
