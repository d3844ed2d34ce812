import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { STOP_REASON_PREFIXES } from '../../contract/stop-reasons';
import { mapBounded } from '../../util/bounded';
import { hostOf, isLive } from '../model/task-view';
import type { DestroyOutcome, DestroyResult, Host, HostReference } from '../model/types';
import type { Channels } from '../remote/channels';
import type { Services } from '../services';
import { findTask } from './find';
import { recordsInScope } from './records';

/** StopTask shares a bucket of 100 calls, then 40 a second, with RunTask. */
const STOPS_AT_ONCE = 20;

type Identified = Pick<Host, 'hostId' | 'name' | 'taskArn'>;

/** Stops the task and removes its local keys. Needs no SSH. Also removes the record of a host that ECS no longer shows. */
export async function destroyHost(
  services: Services,
  channels: Channels,
  reference: HostReference,
  signal?: AbortSignal,
): Promise<DestroyResult> {
  try {
    const task = await findTask(services, reference, signal);
    const host = hostOf(task, services.config);
    return await stop(services, channels, { ...host, isRunning: isLive(task) }, signal);
  } catch (error) {
    if (!isMngrFargateError(error) || error.code !== 'not-found') throw error;
    const [known] = await recordsInScope(services, ({ hostId, name, taskArn }) =>
      [hostId, name, taskArn].includes(reference),
    );
    if (known === undefined) throw error;
    await forget(services, channels, known.hostId);
    return { hostId: known.hostId, name: known.name, taskArn: known.taskArn ?? '', wasRunning: false };
  }
}

/** Stops exactly these hosts. A failure of one doesn't affect the others. */
export async function destroyHosts(
  services: Services,
  channels: Channels,
  hosts: readonly Host[],
  signal?: AbortSignal,
): Promise<DestroyOutcome[]> {
  return mapBounded(hosts, STOPS_AT_ONCE, async (host) => {
    const { hostId, name, taskArn, state } = host;
    try {
      return await stop(services, channels, { ...host, isRunning: state !== 'STOPPED' }, signal);
    } catch (error) {
      return { hostId, name, taskArn, error: asProblem(error, name) };
    }
  });
}

async function stop(
  services: Services,
  channels: Channels,
  { hostId, name, taskArn, isRunning }: Identified & { readonly isRunning: boolean },
  signal?: AbortSignal,
): Promise<DestroyResult> {
  if (isRunning) await services.tasks.stop(taskArn, STOP_REASON_PREFIXES.destroyed, signal);
  await forget(services, channels, hostId);
  return { hostId, name, taskArn, wasRunning: isRunning };
}

async function forget(services: Services, channels: Channels, hostId: string): Promise<void> {
  await channels.drop(hostId);
  await services.keys.remove(hostId);
}

const asProblem = (error: unknown, name: string): MngrFargateError =>
  isMngrFargateError(error)
    ? error
    : new MngrFargateError('failed', `host ${name} could not be destroyed: ${(error as Error).message}`, {
        cause: error,
      });
