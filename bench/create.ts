import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderConfig } from '../lib/contract/provider-config';
import { Hosts } from '../lib/hosts/index';
import { program } from '../test/support/requirements';
import type { Bench, BenchResult, Row } from './support/bench';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import { FARGATE_TIMES } from './support/fargate-times';
import { FixedPollPeer } from './support/fixed-poll-peer';
import { expectNothingRuns } from './support/leftovers';
import { monotonic } from './support/monotonic';
import { timeHandshake } from './support/ssh-handshake';
import { duration, median, quantile } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

/** Gap between two creates: hosts are under way side by side, but two rarely boot at the same moment. */
const STAGGER_MS = 1_000;
const WITHIN_MS = 250;

/** One create of ours: from sshd's first accepted connection, in milliseconds. */
interface Sample {
  /** Until `create` returned. */
  readonly create: number;
  /** One bare SSH handshake with the same host afterwards. */
  readonly handshake: number;
}

export const bench: Bench = {
  title: 'from "sshd accepts connections" to "create returns"',
  missing: () => [program('sshd'), program('ssh-keyscan')].map(({ missing }) => missing()).find(Boolean),
  run: ({ quick, progress }) =>
    withTemporaryFolder((folder) =>
      withEndpoint(folder, 'processes', async (endpoint) => {
        const home = join(folder, 'home');
        await mkdir(home);
        const config = await endpoint.config(home);
        await endpoint.setDelays(FARGATE_TIMES);
        const creates = quick ? 4 : 50;
        progress(`${creates} creates of ours and ${creates / 2} of the peer's schedule, ${STAGGER_MS / 1000} s apart`);
        const { samples, peer } = await launchAll(endpoint, config, join(home, 'keys'), creates);
        return resultOf(samples, peer);
      }),
    ),
};

async function launchAll(
  endpoint: BenchEndpoint,
  config: ProviderConfig,
  keyDirectory: string,
  creates: number,
): Promise<{ readonly samples: Sample[]; readonly peer: number[] }> {
  const hosts = new Hosts({ config, keyDirectory });
  const peer = new FixedPollPeer(config);
  const ours: Promise<Sample>[] = [];
  const theirs: Promise<number>[] = [];
  try {
    for (let index = 0; index < creates; index++) {
      ours.push(heardLater(createOurs(endpoint, hosts, `host-${index}`)));
      if (index % 2 === 0) theirs.push(heardLater(createTheirs(endpoint, peer, `peer-${index}`)));
      await sleep(STAGGER_MS);
    }
    return { samples: await Promise.all(ours), peer: await Promise.all(theirs) };
  } finally {
    await Promise.allSettled([...ours, ...theirs]);
    await hosts.destroyAll();
    await hosts.close();
    await peer.close();
    await expectNothingRuns(endpoint);
  }
}

/** A failure is thrown by Promise.all once every create has begun; until then it must not count as unhandled. */
function heardLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function createOurs(endpoint: BenchEndpoint, hosts: Hosts, name: string): Promise<Sample> {
  const { address, identityFile } = await hosts.create({ name });
  const returned = monotonic();
  if (address === null || identityFile === null) throw new Error(`${name} was created without an address or a key`);
  const handshake = await timeHandshake(address.host, address.port, address.user, identityFile);
  return { create: returned - acceptedAt(endpoint, address.host), handshake };
}

async function createTheirs(endpoint: BenchEndpoint, peer: FixedPollPeer, name: string): Promise<number> {
  const { ip, readyAt } = await peer.create(name);
  return readyAt - acceptedAt(endpoint, ip);
}

function acceptedAt(endpoint: BenchEndpoint, ip: string): number {
  const at = endpoint.acceptedAt.get(ip);
  if (at === undefined) throw new Error(`nobody saw the sshd at ${ip} accept a connection`);
  return at;
}

function resultOf(samples: readonly Sample[], peer: readonly number[]): BenchResult {
  const creates = samples.map(({ create }) => create);
  const floors = samples.map(({ handshake }) => handshake);
  const against = (share: number, name: string): Row => {
    const [ours, floor] = [quantile(creates, share), quantile(floors, share)];
    return {
      what: `create, ${name}`,
      measured: duration(ours),
      against: `floor ${duration(floor)}`,
      ratio: ours / floor,
    };
  };
  const excess = quantile(creates, 0.95) - quantile(floors, 0.95);
  const peerRow = (share: number, name: string): Row => {
    const [theirs, ours] = [quantile(peer, share), quantile(creates, share)];
    return {
      what: `the Python plugin's schedule, ${name}`,
      measured: duration(theirs),
      against: `ours ${duration(ours)}`,
      ratio: theirs / ours,
    };
  };
  return {
    rows: [
      against(0.5, 'p50'),
      { ...against(0.95, 'p95'), aim: `within ${WITHIN_MS} ms of the floor`, met: excess <= WITHIN_MS },
      peerRow(0.5, 'p50'),
      peerRow(0.95, 'p95'),
    ],
    notes: [
      `${samples.length} creates, ${peer.length} of the peer's schedule; p95 is ${duration(excess)} over the floor, p50 ${duration(median(creates) - median(floors))}`,
    ],
  };
}
