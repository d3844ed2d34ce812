import { isMngrFargateError } from '../../contract/errors';
import { STOP_REASON_PREFIXES } from '../../contract/stop-reasons';
import { findTask, hostsOf, listHosts } from './find';
import type { Channels } from '../remote/channels';
import type { Services } from '../services';
import { isLive } from '../model/task-view';
import type { DestroyResult, Host, HostReference } from '../model/types';
import { mapBounded } from '../../util/bounded';

/** StopTask shares a bucket of 100 calls, then 40 a second, with RunTask. */
const STOPS_AT_ONCE = 20;

/** Stops the task and forgets the keys. Needs no SSH. A host that ECS has forgotten is forgotten here too. */
export async function destroyHost(
  services: Services,
  channels: Channels,
  reference: HostReference,
  signal?: AbortSignal,
): Promise<DestroyResult> {
  try {
    const task = await findTask(services, reference, signal);
    const [host] = await hostsOf(services, [task], signal);
    return await stop(services, channels, host as Host, isLive(task), signal);
  } catch (error) {
    if (!isMngrFargateError(error) || error.code !== 'not-found') throw error;
    const records = await services.keys.records();
    const known = records.find(({ hostId, name, taskArn }) => [hostId, name, taskArn].includes(reference));
    if (known === undefined) throw error;
    await channels.drop(known.hostId);
    await services.keys.remove(known.hostId);
    return { hostId: known.hostId, name: known.name, taskArn: known.taskArn ?? '', wasRunning: false };
  }
}

export async function destroyAllHosts(
  services: Services,
  channels: Channels,
  signal?: AbortSignal,
): Promise<DestroyResult[]> {
  const hosts = await listHosts(services, {}, signal);
  return mapBounded(hosts, STOPS_AT_ONCE, (host) => stop(services, channels, host, true, signal));
}

async function stop(
  services: Services,
  channels: Channels,
  host: Host,
  isRunning: boolean,
  signal?: AbortSignal,
): Promise<DestroyResult> {
  const { hostId, name, taskArn } = host;
  if (isRunning) await services.tasks.stop(taskArn, STOP_REASON_PREFIXES.destroyed, signal);
  await channels.drop(hostId);
  await services.keys.remove(hostId);
  return { hostId, name, taskArn, wasRunning: isRunning };
}
