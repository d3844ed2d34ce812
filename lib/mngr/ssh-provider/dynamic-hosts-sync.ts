import { isHostId, isHostName } from '../../contract/host-name';
import { hostAddresses } from '../../hosts/model/host-addresses';
import type { Host, HostAddress } from '../../hosts/model/types';
import { mapBounded } from '../../util/bounded';
import { writeFileAtomically } from '../../util/atomic-file';
import { TomlFile } from '../toml/toml-file';
import type { DynamicHost } from './dynamic-hosts';
import { dynamicHostsIn, renderDynamicHosts, sshProviderHostId } from './dynamic-hosts';
import { answers, introduce } from './dynamic-hosts-probe';
import { withFileLock } from '../../util/file-lock';

/** Why a running host is not in the file. */
export type LeftOutReason =
  /** Its launcher hasn't finished setting it up, or no longer can. */
  | 'not-ready'
  /** It was created on another machine, and its private key is there. */
  | 'no-key'
  /** Its SSH server doesn't answer this machine. */
  | 'no-answer'
  /** An older host has the name. */
  | 'name-taken';

export interface SyncedHost {
  readonly name: string;
  /** The host's own id, as in ECS. Null when ECS could not be asked. */
  readonly hostId: string | null;
  /** The id that mngr's ssh provider gives it. */
  readonly mngrHostId: string;
  readonly address: string;
  readonly port: number;
}

export interface LeftOutHost {
  readonly name: string;
  readonly hostId: string | null;
  readonly reason: LeftOutReason;
}

export interface SyncRequest {
  /** The provider's dynamic_hosts.toml. */
  readonly file: string;
  /** Name of the ssh provider in mngr's settings. */
  readonly sshProvider: string;
  /** Where the launcher keeps its hosts' keys. */
  readonly keyDirectory: string;
  /**
   * Set where ssh's configuration leads to hosts by their ids (`config ssh`), also to those without an open port. mngr is then
   * given the ids instead of addresses, and this logs in: it is asked once for each host, and whether a host that is known
   * lives is what ECS says.
   */
  readonly logIn?: (hostId: string, mngrHostId: string, name: string) => Promise<boolean>;
  /** The running hosts as ECS has them. When this fails, the file keeps those of its hosts that answer. */
  readonly listHosts: () => Promise<readonly Host[]>;
  /** Ends the wait for another sync. */
  readonly signal?: AbortSignal;
}

export interface SyncResult {
  readonly changed: boolean;
  readonly hosts: readonly SyncedHost[];
  readonly leftOut: readonly LeftOutHost[];
  /** What `listHosts` threw. */
  readonly problem?: unknown;
}

/** SSH connections under way at once. */
const CONNECTIONS = 32;
/** As ssh's configuration has them for a host's id. */
const SSH_PORT = 22;
const SSH_USER = 'root';

interface Candidate {
  readonly hostId: string | null;
  readonly entry: DynamicHost;
  /** The same host at its IPv6 address, if it has one besides. */
  readonly others: readonly DynamicHost[];
}

/**
 * Updates the dynamic_hosts.toml of an ssh provider to the hosts that are running. A host is added after one login that
 * checks its pinned key, and stays as long as its SSH server answers. mngr fails for all hosts of the provider when one
 * of them doesn't.
 *
 * One sync runs at a time, from its list of hosts to its write: of two that overlap, the one with the older list could
 * otherwise write last and lose the hosts that it hasn't seen.
 */
export const syncDynamicHosts = (request: SyncRequest): Promise<SyncResult> =>
  withFileLock(request.file, () => syncUnderLock(request), { signal: request.signal });

async function syncUnderLock(request: SyncRequest): Promise<SyncResult> {
  const { file, sshProvider, keyDirectory, listHosts, logIn } = request;
  const before = await TomlFile.read(file);
  const present = dynamicHostsIn(before, keyDirectory);
  const { candidates, leftOut, problem } = await listHosts().then(
    (hosts) => ({ ...sorted(hosts, logIn !== undefined), problem: undefined }),
    (error: unknown) => ({
      candidates: present.map((entry) => ({ hostId: null, entry, others: [] })),
      leftOut: [],
      problem: error,
    }),
  );
  const known = new Map(present.map((entry) => [entry.name, JSON.stringify(entry)]));
  const isReached = async (entry: DynamicHost): Promise<boolean> => {
    const mngrHostId = sshProviderHostId(sshProvider, entry.name);
    const isById = isHostId(entry.address);
    if (known.get(entry.name) === JSON.stringify(entry)) return isById || answers(entry);
    if (isById) return (await logIn?.(entry.address, mngrHostId, entry.name)) ?? false;
    return introduce(entry, mngrHostId);
  };
  const reached = await mapBounded(candidates, CONNECTIONS, async ({ hostId, entry, others }) => {
    // The entry that is in the file comes first: the other address may not let this machine in.
    const isKnown = (one: DynamicHost): boolean => known.get(one.name) === JSON.stringify(one);
    const ordered = [entry, ...others].sort((one, other) => Number(isKnown(other)) - Number(isKnown(one)));
    for (const one of ordered) if (await isReached(one)) return { hostId, entry: one };
    return undefined;
  });
  const hosts = reached.filter((host) => host !== undefined);
  const silent = candidates.filter((_, index) => reached[index] === undefined);
  const text = renderDynamicHosts(hosts.map(({ entry }) => entry));
  const changed = text !== before.text;
  if (changed) await writeFileAtomically(file, text);
  return {
    changed,
    problem,
    hosts: hosts.map(({ hostId, entry: { name, address, port } }) => {
      return { name, hostId, mngrHostId: sshProviderHostId(sshProvider, name), address, port };
    }),
    leftOut: [
      ...leftOut,
      ...silent.map(({ hostId, entry: { name } }) => ({ name, hostId, reason: 'no-answer' as const })),
    ],
  };
}

/**
 * Hosts that can be passed on to mngr, and the others. Of two hosts with one name, the older counts; a host without a
 * name is skipped. `byId` names hosts by their ids, which ssh's configuration leads to them.
 */
function sorted(
  hosts: readonly Host[],
  byId: boolean,
): { readonly candidates: Candidate[]; readonly leftOut: LeftOutHost[] } {
  const candidates = new Map<string, Candidate>();
  const leftOut: LeftOutHost[] = [];
  const named = hosts.filter(({ name }) => isHostName(name));
  for (const host of named.sort((one, other) => (one.createdAt < other.createdAt ? -1 : 1))) {
    const { name, hostId, address, identityFile, knownHostsFile } = host;
    const leaveOut = (reason: LeftOutReason): number => leftOut.push({ name, hostId, reason });
    if (!host.ready || address === null) leaveOut('not-ready');
    else if (identityFile === null || knownHostsFile === null) leaveOut('no-key');
    else if (candidates.has(name)) leaveOut('name-taken');
    else {
      const entryFor = ({ host: at, port, user }: HostAddress): DynamicHost => {
        return { name, address: at, port, user, keyFile: identityFile, knownHostsFile };
      };
      const [, ...others] = byId ? [] : hostAddresses(host);
      const first = byId ? { host: hostId, port: SSH_PORT, user: SSH_USER } : address;
      candidates.set(name, { hostId, entry: entryFor(first), others: others.map(entryFor) });
    }
  }
  return { candidates: [...candidates.values()], leftOut };
}
