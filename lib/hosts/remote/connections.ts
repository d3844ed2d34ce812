import { MngrFargateError } from '../../contract/errors';
import { connect } from '../../ssh';
import type { SshConnection } from '../../ssh';
import type { Background } from '../../util/background';
import { finishHost, markReady } from './finish';
import type { HostRecord } from './key-store';
import { reachNewHost } from './reach';
import type { Services } from '../services';
import { noKey } from './ssh-arguments';
import type { Host } from '../model/types';

/** How long the first use of a host that was created without waiting may take. Milliseconds. */
const FIRST_USE = 600_000;

/** SSH connections of one Hosts instance: one a host, opened when first needed. */
export class Connections {
  private readonly open = new Map<string, Promise<SshConnection>>();
  private closed = false;

  constructor(
    private readonly services: Services,
    private readonly background: Background,
  ) {}

  /** Keeps a connection that somebody else has opened. */
  keep(hostId: string, connection: SshConnection): void {
    if (this.closed) connection.close();
    else this.open.set(hostId, Promise.resolve(connection));
  }

  /** The host's connection. A host that isn't ready yet is finished first, by the nonce kept since its launch. */
  async to(host: Host, signal?: AbortSignal): Promise<SshConnection> {
    const known = await this.open.get(host.hostId)?.catch(() => undefined);
    if (known !== undefined && known.lostBecause() === undefined) return known;
    const opening = this.connect(host, signal);
    this.open.set(host.hostId, opening);
    opening.catch(() => this.open.delete(host.hostId));
    return opening;
  }

  async drop(hostId: string): Promise<void> {
    const connection = await this.open.get(hostId)?.catch(() => undefined);
    this.open.delete(hostId);
    connection?.close();
  }

  async close(): Promise<void> {
    this.closed = true;
    await Promise.all([...this.open.keys()].map((hostId) => this.drop(hostId)));
  }

  private async connect(host: Host, signal?: AbortSignal): Promise<SshConnection> {
    const { keys } = this.services;
    const [privateKey, record] = await Promise.all([keys.privateKey(host.hostId), keys.record(host.hostId)]);
    if (host.state === 'STOPPED') {
      throw new MngrFargateError(
        'unreachable',
        `host ${host.name} has stopped: ${host.stoppedReason ?? 'ECS gives no reason'}`,
      );
    }
    if (privateKey === undefined) throw noKey(host);
    if (record?.nonce) return this.finish(host, record, record.nonce, privateKey, signal);
    if (host.address === null)
      throw new MngrFargateError('unreachable', `host ${host.name} has no address (it is ${host.state})`);
    const pinned = await keys.pinnedKeys(host.hostId, host.address.host, host.address.port);
    const connection = await connect({
      ...host.address,
      privateKey,
      hostKey: { type: 'pinned', keys: pinned },
      signal,
    });
    if (!host.ready && record !== undefined)
      await markReady(this.services, record, new Date().toISOString(), this.background);
    return connection;
  }

  private async finish(
    host: Host,
    record: HostRecord,
    nonce: string,
    privateKey: string,
    signal?: AbortSignal,
  ): Promise<SshConnection> {
    const deadline = AbortSignal.timeout(FIRST_USE);
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const { name, taskArn } = host;
    const { connection, address } = await reachNewHost(this.services, { name, taskArn, privateKey, nonce }, either);
    try {
      await finishHost(this.services, { ...record, taskArn }, connection, address, this.background, either);
      return connection;
    } catch (error) {
      connection.close();
      throw error;
    }
  }
}
