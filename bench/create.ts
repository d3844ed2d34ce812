import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderConfig } from '../lib/contract/provider-config';
import type { CreateHostRequest } from '../lib/hosts/index';
import { Hosts } from '../lib/hosts/index';
import { SESSION_PREFIX } from '../lib/contract/agent-session';
import { setupScript } from '../lib/hosts/remote/setup-script';
import { program } from '../test/support/run/requirements';
import { timeBareSsh } from './support/bare-ssh';
import type { Bench, BenchResult, Comparison, Row } from './support/bench';
import type { BenchEndpoint } from './support/endpoint';
import { withEndpoint } from './support/endpoint';
import { FARGATE_TIMES } from './support/fargate-times';
import { FixedPollPeer } from './support/fixed-poll-peer';
import { expectNothingRuns } from './support/leftovers';
import { monotonic } from './support/monotonic';
import { ObservedSockets } from './support/observed-sockets';
import { duration, quantile } from './support/statistics';
import { withTemporaryFolder } from './support/temporary-folder';

/** What many hosts are created with: written and started over SSH, in a tmux session, before `create` returns. */
const AGENT = { command: ['sleep', 'infinity'], env: { GREETING: 'hello' } };
/** Gap between two creates: hosts are under way side by side, but two rarely boot at the same moment. */
const STAGGER_MS = 1_000;
const WITHIN_MS = 250;

/** Bare SSH exchanges with a host after its create. The fastest counts, since the host has work of its own by then. */
const BARE_EXCHANGES = 3;

/** One create of ours. In milliseconds from when the host's sshd accepted the first connection that anybody opened. */
interface Sample {
  /** Until `create` returned. */
  readonly create: number;
  /**
   * What no create of this host could do without: the bytes of one SSH connection, from its acceptance to the end of the
   * login or, where something is set up, of the set-up script. The fastest of several: the launcher's own exchange, as
   * its socket saw it, and bare ones that ssh2 makes afterwards. It can't be more than `create`, because the launcher's
   * own exchange is a part of that.
   */
  readonly floor: number;
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
        progress(
          `${creates} creates of ours, ${creates / 2} with a command, and ${creates / 2} of the peer's schedule, ${STAGGER_MS / 1000} s apart`,
        );
        return resultOf(await launchAll(endpoint, config, join(home, 'keys'), creates));
      }),
    ),
};

interface Measured {
  readonly plain: readonly Sample[];
  readonly withCommand: readonly Sample[];
  /** Of the peer, in milliseconds. */
  readonly peer: readonly number[];
}

async function launchAll(
  endpoint: BenchEndpoint,
  config: ProviderConfig,
  keyDirectory: string,
  creates: number,
): Promise<Measured> {
  const hosts = new Hosts({ config, keyDirectory });
  const fixedPoll = new FixedPollPeer(config);
  const sockets = new ObservedSockets();
  const plain: Promise<Sample>[] = [];
  const withCommand: Promise<Sample>[] = [];
  const peer: Promise<number>[] = [];
  try {
    for (let index = 0; index < creates; index++) {
      plain.push(heardLater(createOurs(endpoint, hosts, sockets, { name: `host-${index}` })));
      if (index % 2 === 0) peer.push(heardLater(createTheirs(endpoint, fixedPoll, `peer-${index}`)));
      else withCommand.push(heardLater(createOurs(endpoint, hosts, sockets, { name: `agent-${index}`, ...AGENT })));
      await sleep(STAGGER_MS);
    }
    return {
      plain: await Promise.all(plain),
      withCommand: await Promise.all(withCommand),
      peer: await Promise.all(peer),
    };
  } finally {
    await Promise.allSettled([...plain, ...withCommand, ...peer]);
    await hosts.destroyAll();
    await hosts.close();
    await fixedPoll.close();
    sockets.close();
    await expectNothingRuns(endpoint);
  }
}

/** A failure is thrown by Promise.all once every create has begun; until then it must not count as unhandled. */
function heardLater<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => undefined);
  return promise;
}

async function createOurs(
  endpoint: BenchEndpoint,
  hosts: Hosts,
  sockets: ObservedSockets,
  request: CreateHostRequest,
): Promise<Sample> {
  const { address, identityFile } = await hosts.create(request);
  const returned = monotonic();
  if (address === null || identityFile === null)
    throw new Error(`${request.name} was created without an address or a key`);
  const own = sockets.at(address.host);
  const accepted = Math.min(own.connectedAtMs, await endpoint.acceptedAt(address.host));
  const server = { ...address, privateKey: await readFile(identityFile, 'utf8') };
  const script =
    setupScript(request.name, { command: request.command ? [...request.command] : null, env: { ...request.env } }) ??
    undefined;
  const exchanges = [own.exchangeMs];
  while (exchanges.length <= BARE_EXCHANGES) {
    if (script !== undefined) await timeBareSsh(server, undoScript(request.name));
    exchanges.push(await timeBareSsh(server, script));
  }
  return { create: returned - accepted, floor: Math.min(...exchanges) };
}

/**
 * Takes back what the set-up script of this host has done, so that it has the same to do once more. tmux ends with its
 * last session, a moment after that session.
 */
const undoScript = (name: string): string => `set -eu
cd "\${MNGR_HOST_DIR:-/mngr}"
tmux kill-session -t '=${SESSION_PREFIX}${name}'
tries=0
while tmux list-sessions >/dev/null 2>&1 && [ "$tries" -lt 20 ]; do sleep 0.05; tries=$((tries + 1)); done
rm -rf env 'projects/${name}'
`;

async function createTheirs(endpoint: BenchEndpoint, peer: FixedPollPeer, name: string): Promise<number> {
  const { ip, readyAt } = await peer.create(name);
  return readyAt - (await endpoint.acceptedAt(ip));
}

function resultOf({ plain, withCommand, peer }: Measured): BenchResult {
  const ours = plain.map(({ create }) => create);
  const floor = plain.map(({ floor: least }) => least);
  const agents = withCommand.map(({ create }) => create);
  const agentFloor = withCommand.map(({ floor: least }) => least);
  const excess = (share: number): number => quantile(ours, share) - quantile(floor, share);
  const rows: Row[] = [
    compared('create, p50', ours, 'floor', 'the SSH exchange alone', floor, 0.5),
    {
      ...compared('create, p95', ours, 'floor', 'the SSH exchange alone', floor, 0.95),
      aim: `within ${WITHIN_MS} ms of the floor`,
      met: excess(0.95) <= WITHIN_MS,
    },
    compared('create with a variable and a command, p50', agents, 'floor', 'the SSH exchange alone', agentFloor, 0.5),
    compared('create with a variable and a command, p95', agents, 'floor', 'the SSH exchange alone', agentFloor, 0.95),
    compared("the Python plugin's schedule, p50", peer, 'peer', 'ours', ours, 0.5),
    compared("the Python plugin's schedule, p95", peer, 'peer', 'ours', ours, 0.95),
  ];
  return {
    rows,
    notes: [
      `${plain.length} creates, ${withCommand.length} with a command, ${peer.length} of the peer's schedule; p95 of a create is ${duration(excess(0.95))} over the floor, p50 ${duration(excess(0.5))}`,
    ],
  };
}

/** The same quantile of two samples. */
function compared(
  what: string,
  sample: readonly number[],
  comparison: Comparison,
  against: string,
  other: readonly number[],
  share: number,
): Row {
  const [measured, compare] = [quantile(sample, share), quantile(other, share)];
  return {
    what,
    measured: duration(measured),
    comparison,
    against: `${against} ${duration(compare)}`,
    ratio: measured / compare,
  };
}
