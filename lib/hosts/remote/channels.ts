import type { HostChannel } from '../../contract/channel';
import { MngrFargateError } from '../../contract/errors';
import type { Background } from '../../util/background';
import { finishHost, markReady } from './finish';
import type { HostRecord } from './key-store';
import { reachNewHost } from './reach';
import type { Services } from '../services';
import { noKey } from './ssh-arguments';
import type { Host } from '../model/types';

/** How long the first use of a host that was created without waiting may take. */
const FIRST_USE_MS = 600_000;

/** The channels of one Hosts instance: one per host, opened when first needed. */
export class Channels {
  private readonly open = new Map<string, Promise<HostChannel>>();
  private closed = false;

  constructor(
    private readonly services: Services,
    private readonly background: Background,
  ) {}

  /** Keeps a channel that was opened elsewhere. */
  keep(hostId: string, channel: HostChannel): void {
    if (this.closed) channel.close();
    else this.open.set(hostId, Promise.resolve(channel));
  }

  /** The host's channel. A host that isn't ready yet is set up first, with the nonce that was kept since its launch. */
  async to(host: Host, signal?: AbortSignal): Promise<HostChannel> {
    const known = await this.open.get(host.hostId)?.catch(() => undefined);
    if (known !== undefined && known.lostBecause() === undefined) return known;
    const opening = this.connect(host, signal);
    this.open.set(host.hostId, opening);
    opening.catch(() => this.open.delete(host.hostId));
    return opening;
  }

  async drop(hostId: string): Promise<void> {
    const channel = await this.open.get(hostId)?.catch(() => undefined);
    this.open.delete(hostId);
    channel?.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.open.keys()].map((hostId) => this.drop(hostId)));
  }

  private async connect(host: Host, signal?: AbortSignal): Promise<HostChannel> {
    const { keys } = this.services;
    const [privateKey, record] = await Promise.all([keys.privateKey(host.hostId), keys.record(host.hostId)]);
    if (host.state === 'STOPPED') {
      throw new MngrFargateError(
        'unreachable',
        `host ${host.name} has stopped: ${host.stoppedReason ?? 'ECS gave no reason'}`,
      );
    }
    if (privateKey === undefined) throw noKey(host);
    if (record?.nonce && record.taskArn !== host.taskArn) {
      throw new MngrFargateError(
        'unverified-host-key',
        `task ${host.taskArn} is not the one that was launched as host ${host.name} (${record.taskArn ?? 'unknown'})`,
        { hint: 'destroy the host and create it again; nothing was sent to this task' },
      );
    }
    if (record?.nonce) return this.finish(host, record, { nonce: record.nonce, privateKey }, signal);
    const channel = await this.services.carrier.connect(host, privateKey, signal);
    if (!host.ready && record !== undefined)
      await markReady(this.services, record, new Date(this.services.tasks.now()).toISOString(), this.background);
    return channel;
  }

  private async finish(
    host: Host,
    record: HostRecord,
    secrets: { readonly nonce: string; readonly privateKey: string },
    signal?: AbortSignal,
  ): Promise<HostChannel> {
    const deadline = AbortSignal.timeout(FIRST_USE_MS);
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const { name, taskArn } = host;
    const { channel, addresses } = await reachNewHost(this.services, { name, taskArn, ...secrets }, either);
    try {
      const { background } = this;
      await finishHost(this.services, {
        record: { ...record, taskArn },
        channel,
        addresses,
        background,
        signal: either,
      });
      return channel;
    } catch (error) {
      channel.close();
      throw error;
    }
  }
}
