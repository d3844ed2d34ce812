import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import type { Jump } from '../../ssh';
import { connect, isRefusedAddress, knock, KnockPace, logIn, openGreeting } from '../../ssh';
import { orAborted, pause, throwIfAborted } from '../../util/abort';
import { reasonOf } from '../../util/system-error';
import type { NetworkInterfaces } from '../ecs/network-interfaces';
import type { TaskWatch } from '../ecs/task-watch';
import { hostAddresses } from '../model/host-addresses';
import { addressesOf, addressOf, ipv4Of, networkInterfaceIdOf } from '../model/task-view';
import type { InterfaceAddresses } from '../model/task-view';
import type { Host, HostAddress } from '../model/types';
import type { Carrier, NewHost, ReachedHost, Route } from './carrier';
import { firstAddress } from './first-address';
import type { RaceOptions } from './first-address';
import type { KeyStore } from './key-store';

/** Login errors to retry until the create's own deadline. */
const NOT_YET: ReadonlySet<string> = new Set(['unreachable', 'timed-out']);
/** Milliseconds in which one of a host's addresses has to answer, when only its address is asked for. */
const ANSWER_MS = 5_000;
/** Milliseconds between two lookups of the public address, which appears shortly after the network interface. */
const ADDRESS_INTERVAL_MS = 200;
/** Milliseconds until another machine at a guessed address is looked at again: the host may have got the address by then. */
const STRANGER_MS = 2_000;

const isSame = (one: HostAddress, other: HostAddress | undefined): boolean =>
  one.host === other?.host && one.port === other.port;

export interface DirectCarrierParts {
  readonly config: ProviderConfig;
  readonly watch: TaskWatch;
  readonly interfaces: NetworkInterfaces;
  readonly keys: KeyStore;
  /** The bastions on the way, if there are any. Closed with the carrier. */
  readonly jump?: Jump;
}

/** An address that may be another machine's, as seen from a bastion: one that answers wrongly is passed over. */
type Candidate = HostAddress & { readonly isGuess?: boolean };

/** From a bastion in the hosts' network, the private address is the way in, whichever one this machine would use. */
function withPrivate(addresses: readonly HostAddress[], privateIp: string | null): readonly Candidate[] {
  const [first] = addresses;
  if (first === undefined || privateIp === null || addresses.some(({ host }) => host === privateIp)) return addresses;
  return [...addresses, { ...first, host: privateIp, isGuess: true }];
}

function asNoAnswer(error: unknown): unknown {
  if (!isMngrFargateError(error) || error.code !== 'unverified-host-key') return error;
  const { message, details } = error;
  return new MngrFargateError('unreachable', message, { cause: error, details });
}

/** Throws `unreachable` if the host has none. */
function presentAddresses(host: Host): readonly HostAddress[] {
  const addresses = hostAddresses(host);
  if (addresses.length > 0) return addresses;
  throw new MngrFargateError('unreachable', `host ${host.name} has no address (it is ${host.state})`);
}

/** SSH over TCP to the host's own address, from here or from a bastion. */
export class DirectCarrier implements Carrier {
  private readonly pace = new KnockPace();
  /** The address at which a host with several answered, by its id. */
  private readonly answered = new Map<string, HostAddress>();

  constructor(private readonly parts: DirectCarrierParts) {}

  /** A bastion that can't be used says so before a task is started for it. */
  async prepare(signal?: AbortSignal): Promise<void> {
    await this.parts.jump?.open(signal);
  }

  /**
   * Looks up the address as soon as ECS shows the network interface, knocks while ECS still says PENDING, and uses the
   * first SSH server that proves its host key.
   */
  async reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost> {
    await this.prepare(signal);
    const { candidates: own, addresses } = await this.learnAddresses(host.taskArn, signal);
    const candidates = this.parts.jump === undefined ? own : withPrivate(own, addresses?.privateIp ?? null);
    onFound();
    const { channel, address } = await this.firstLoginOf(host, candidates, signal);
    return {
      channel,
      addresses: [address, ...candidates.filter((other) => !isSame(other, address))],
      publicIp: addresses?.publicIp ?? null,
      privateIp: addresses?.privateIp ?? null,
      ipv6: addresses?.ipv6 ?? null,
    };
  }

  async connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel> {
    const addresses = await this.waysTo(host, signal);
    const keys = await this.parts.keys.pinnedKeys(host.hostId, addresses[0] ?? null);
    const hostKey = { type: 'pinned', keys } as const;
    return this.first(
      host,
      addresses,
      (address, either) => connect({ ...address, privateKey, hostKey, signal: either, dialer: this.parts.jump }),
      {
        discard: (channel) => channel.close(),
        signal,
      },
    );
  }

  /** Of a host with two addresses the one that answers is learned here, for `addressFor`. */
  async routeTo(host: Host, signal?: AbortSignal): Promise<Route> {
    if (this.parts.jump !== undefined) return 'jump';
    if (hostAddresses(host).length > 1) await this.answers(host, ANSWER_MS, signal);
    return 'direct';
  }

  addressFor(host: Host): HostAddress | null {
    return this.answered.get(host.hostId) ?? host.address;
  }

  async open(host: Host, signal?: AbortSignal): Promise<Duplex> {
    const { jump } = this.parts;
    const open =
      jump === undefined ? openSocket : (to: HostAddress, either?: AbortSignal) => jump.dial(to.host, to.port, either);
    return this.first(host, await this.waysTo(host, signal), open, {
      discard: (socket) => void socket.destroy(),
      signal,
    });
  }

  /** Whether an SSH server answers at an address of the host within this many milliseconds. Doesn't log in. */
  async answers(host: Host, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const greet = async ({ host: at, port }: HostAddress, either?: AbortSignal): Promise<Duplex> => {
      const attempt = openGreeting({ host: at, port, timeoutMs: withinMs });
      try {
        return (await orAborted(attempt.greeting, `connecting to ${at} port ${port}`, either)).stream;
      } catch (error) {
        attempt.abandon();
        if (isMngrFargateError(error)) throw error;
        throw new MngrFargateError('unreachable', `no SSH answer from ${at} port ${port}`, { cause: error });
      }
    };
    try {
      const discard = (stream: Duplex): void => void stream.destroy();
      discard(await this.first(host, presentAddresses(host), greet, { discard, signal }));
      return true;
    } catch (error) {
      if (isMngrFargateError(error) && error.code === 'unreachable' && hostAddresses(host).length > 0) return false;
      throw error;
    }
  }

  async close(): Promise<void> {
    await this.parts.jump?.close();
  }

  /** Where the host may be reached. Throws `unreachable` if it has no address, and what the bastion says about itself. */
  private async waysTo(host: Host, signal: AbortSignal | undefined): Promise<readonly Candidate[]> {
    const addresses = presentAddresses(host);
    if (this.parts.jump === undefined) return addresses;
    await this.prepare(signal);
    return withPrivate(addresses, host.privateIp);
  }

  /** Tries the addresses, each a moment after the one before it, and remembers the one that answers. */
  private async first<Result>(
    { hostId }: Host,
    addresses: readonly Candidate[],
    attempt: (address: HostAddress, signal?: AbortSignal) => Promise<Result>,
    options: RaceOptions<Result>,
  ): Promise<Result> {
    const known = this.answered.get(hostId);
    const ordered = [...addresses].sort((one, other) => Number(isSame(other, known)) - Number(isSame(one, known)));
    const lenient = (address: Candidate, either?: AbortSignal): Promise<Result> =>
      attempt(address, either).catch((error: unknown) => {
        throw address.isGuess === true ? asNoAnswer(error) : error;
      });
    const { result, address } = await firstAddress(ordered, lenient, options);
    this.answered.set(hostId, address);
    return result;
  }

  /** The addresses of a task: from the first DescribeTasks that shows one, or from EC2 if a public address is wanted. */
  private async learnAddresses(
    taskArn: string,
    signal: AbortSignal,
  ): Promise<{ candidates: readonly HostAddress[]; addresses: InterfaceAddresses | undefined }> {
    const { config, watch, interfaces } = this.parts;
    for (;;) {
      const task = await watch.until(
        taskArn,
        (seen) =>
          networkInterfaceIdOf(seen) !== undefined || addressOf(seen, config, undefined) !== null ? seen : undefined,
        signal,
      );
      const id = networkInterfaceIdOf(task);
      const addresses =
        id === undefined ? undefined : await orAborted(interfaces.find(id), 'looking up an address', signal);
      const candidates = addressesOf(task, config, addresses);
      const isRunning = task.lastStatus === 'RUNNING';
      // The public IPv4 address appears a moment after the IPv6 address. In a network of IPv6 alone it never does.
      const isComplete = ipv4Of(task, config, addresses) || addresses?.privateIp === null || isRunning;
      if (candidates.length > 0 && isComplete) return { candidates, addresses };
      if (addresses !== undefined && isRunning) {
        throw new MngrFargateError('unreachable', `task ${taskArn} has no public address`, {
          hint: 'use public subnets, or set `assign_public_ip = false` if this machine can reach the private addresses',
        });
      }
      await pause(ADDRESS_INTERVAL_MS, 'waiting for an address', signal);
    }
  }

  /** Knocks on all addresses at once: a security group may let this machine in by one family alone. */
  private async firstLoginOf(
    host: NewHost,
    addresses: readonly Candidate[],
    signal: AbortSignal,
  ): Promise<{ channel: HostChannel; address: HostAddress }> {
    const over = new AbortController();
    const either = AbortSignal.any([signal, over.signal]);
    const ways = addresses.map(async (address) => ({ address, channel: await this.firstLogin(host, address, either) }));
    try {
      // A bastion may be allowed to connect to one of them alone.
      const fatal = ways.map((way) =>
        way.catch((error: unknown) => (isRefusedAddress(error) ? never : Promise.reject(error as Error))),
      );
      const first = await Promise.race([firstOrError(ways), ...fatal]);
      for (const way of ways)
        way.then(
          ({ channel }) => {
            if (channel !== first.channel) channel.close();
          },
          () => undefined,
        );
      return first;
    } finally {
      over.abort();
      for (const way of ways) way.catch(() => undefined);
    }
  }

  /** A connection that breaks or stalls before the login is retried: sshd may still be starting. */
  private async firstLogin(host: NewHost, address: Candidate, signal: AbortSignal): Promise<HostChannel> {
    for (;;) {
      const greeting = await knock(address.host, address.port, { signal, pace: this.pace, dialer: this.parts.jump });
      try {
        return await logIn(greeting, {
          user: address.user,
          privateKey: host.privateKey,
          hostKey: { type: 'proof', nonce: host.nonce },
          signal,
        });
      } catch (error) {
        const problem = address.isGuess === true ? asNoAnswer(error) : error;
        if (!isMngrFargateError(problem) || !NOT_YET.has(problem.code)) throw error;
        throwIfAborted(`logging in to ${host.name}`, signal);
        if (problem !== error) await pause(STRANGER_MS, `logging in to ${host.name}`, signal);
      }
    }
  }
}

const never = new Promise<never>(() => undefined);

/** The first that succeeds; if none does, the error of the first. */
const firstOrError = <Result>(ways: readonly Promise<Result>[]): Promise<Result> =>
  Promise.any(ways).catch(() => ways[0] as Promise<Result>);

async function openSocket({ host, port }: HostAddress, signal?: AbortSignal): Promise<Duplex> {
  const socket = createConnection({ host, port, noDelay: true });
  const connected = new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
  try {
    await orAborted(connected, `connecting to ${host} port ${port}`, signal);
    return socket;
  } catch (error) {
    socket.destroy();
    if (isMngrFargateError(error)) throw error;
    const problem = `cannot reach SSH at ${host} port ${port}: ${reasonOf(error) ?? (error as Error).message}`;
    throw new MngrFargateError('unreachable', problem, { cause: error });
  }
}
