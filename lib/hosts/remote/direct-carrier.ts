import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import { connect, knock, KnockPace, logIn, openGreeting } from '../../ssh';
import { orAborted, pause, throwIfAborted } from '../../util/abort';
import type { NetworkInterfaces } from '../ecs/network-interfaces';
import type { TaskWatch } from '../ecs/task-watch';
import { addressOf, networkInterfaceIdOf } from '../model/task-view';
import type { InterfaceAddresses } from '../model/task-view';
import type { Host, HostAddress } from '../model/types';
import type { Carrier, NewHost, ReachedHost, Route } from './carrier';
import type { KeyStore } from './key-store';

/** Login errors to retry until the create's own deadline. */
const NOT_YET: ReadonlySet<string> = new Set(['unreachable', 'timed-out']);
/** Milliseconds between two lookups of the public address, which appears shortly after the network interface. */
const ADDRESS_INTERVAL_MS = 200;

export interface DirectCarrierParts {
  readonly config: ProviderConfig;
  readonly watch: TaskWatch;
  readonly interfaces: NetworkInterfaces;
  readonly keys: KeyStore;
}

/** Throws `unreachable` if the host has none. */
function presentAddress({ name, state, address }: Host): HostAddress {
  if (address !== null) return address;
  throw new MngrFargateError('unreachable', `host ${name} has no address (it is ${state})`);
}

/** SSH over TCP to the host's own address. */
export class DirectCarrier implements Carrier {
  private readonly pace = new KnockPace();

  constructor(private readonly parts: DirectCarrierParts) {}

  /**
   * Looks up the address as soon as ECS shows the network interface, knocks while ECS still says PENDING, and uses the
   * first SSH server that proves its host key.
   */
  async reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost> {
    const { address, addresses } = await this.learnAddress(host.taskArn, signal);
    onFound();
    const channel = await this.firstLogin(host, address, signal);
    return { channel, address, publicIp: addresses?.publicIp ?? null, privateIp: addresses?.privateIp ?? null };
  }

  async connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel> {
    const address = presentAddress(host);
    const keys = await this.parts.keys.pinnedKeys(host.hostId, address);
    return connect({ ...address, privateKey, hostKey: { type: 'pinned', keys }, signal });
  }

  routeTo(): Promise<Route> {
    return Promise.resolve('direct');
  }

  async open(host: Host, signal?: AbortSignal): Promise<Duplex> {
    const { host: at, port } = presentAddress(host);
    const socket = createConnection({ host: at, port, noDelay: true });
    const connected = new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    try {
      await orAborted(connected, `connecting to ${at} port ${port}`, signal);
      return socket;
    } catch (error) {
      socket.destroy();
      if (isMngrFargateError(error)) throw error;
      const problem = `cannot reach SSH at ${at} port ${port}: ${(error as Error).message}`;
      throw new MngrFargateError('unreachable', problem, { cause: error });
    }
  }

  /** Whether an SSH server answers at the host's address within so many milliseconds. It isn't logged in to. */
  async answers(host: Host, withinMs: number, signal?: AbortSignal): Promise<boolean> {
    const { host: at, port } = presentAddress(host);
    const attempt = openGreeting({ host: at, port, timeoutMs: withinMs });
    try {
      const { stream } = await orAborted(attempt.greeting, `connecting to ${at} port ${port}`, signal);
      stream.destroy();
      return true;
    } catch (error) {
      attempt.abandon();
      if (isMngrFargateError(error)) throw error;
      return false;
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  /** The address of a task: from the first DescribeTasks that shows one, or from EC2 if a public address is wanted. */
  private async learnAddress(
    taskArn: string,
    signal: AbortSignal,
  ): Promise<{ address: HostAddress; addresses: InterfaceAddresses | undefined }> {
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
      const address = addressOf(task, config, addresses);
      if (address !== null) return { address, addresses };
      if (addresses !== undefined && task.lastStatus === 'RUNNING') {
        throw new MngrFargateError('unreachable', `task ${taskArn} has no public address`, {
          hint: 'use public subnets, or set `assign_public_ip = false` if this machine can reach the private addresses',
        });
      }
      await pause(ADDRESS_INTERVAL_MS, 'waiting for an address', signal);
    }
  }

  /** A connection that breaks or stalls before the login is retried: sshd may still be starting. */
  private async firstLogin(host: NewHost, address: HostAddress, signal: AbortSignal): Promise<HostChannel> {
    for (;;) {
      const greeting = await knock(address.host, address.port, { signal, pace: this.pace });
      try {
        return await logIn(greeting, {
          user: address.user,
          privateKey: host.privateKey,
          hostKey: { type: 'proof', nonce: host.nonce },
          signal,
        });
      } catch (error) {
        if (!isMngrFargateError(error) || !NOT_YET.has(error.code)) throw error;
        throwIfAborted(`logging in to ${host.name}`, signal);
      }
    }
  }
}
