import type { Hosts } from '../hosts/hosts';
import type { Host } from '../hosts/model/types';

/** SSH connections at a time, and milliseconds that all of it may take: neither a dead host nor a fleet holds up the list. */
const AT_A_TIME = 32;
const PATIENCE_MS = 4000;

/** Seconds since the last activity by host id, of the running hosts that this machine can reach in time. */
export async function idleTimes(
  hosts: Pick<Hosts, 'idleSeconds'>,
  listed: readonly Host[],
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const waiting = listed.filter((host) => host.state === 'RUNNING' && host.ready && host.identityFile !== null);
  const idle = new Map<string, number>();
  const patience = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MS)]);
  const worker = async (): Promise<void> => {
    for (let host = waiting.shift(); host !== undefined; host = waiting.shift()) {
      if (patience.aborted) return;
      const seconds = await hosts.idleSeconds(host, { signal: patience }).catch(() => null);
      if (seconds !== null) idle.set(host.hostId, seconds);
    }
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
  return idle;
}
