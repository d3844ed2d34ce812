import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import { connect, knock, KnockPace, logIn } from '../../ssh';
import { orAborted, pause, throwIfAborted } from '../../util/abort';
import type { NetworkInterfaces } from '../ecs/network-interfaces';
import type { TaskWatch } from '../ecs/task-watch';
import { addressOf, networkInterfaceIdOf } from '../model/task-view';
import type { InterfaceAddresses } from '../model/task-view';
import type { Host, HostAddress } from '../model/types';
import type { Carrier, NewHost, ReachedHost } from './carrier';
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
    const { hostId, address } = host;
    if (address === null) {
      throw new MngrFargateError('unreachable', `host ${host.name} has no address (it is ${host.state})`);
    }
    const keys = await this.parts.keys.pinnedKeys(hostId, address.host, address.port);
    return connect({ ...address, privateKey, hostKey: { type: 'pinned', keys }, signal });
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
