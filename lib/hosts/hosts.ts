import type { Duplex } from 'node:stream';
import type { HostChannel } from '../contract/channel';
import { NO_PROXY_JUMP } from '../contract/proxy-jump';
import { download, upload } from '../ssh';
import type { CopyOptions, CopyResult } from '../ssh';
import { Background } from '../util/background';
import { Channels } from './remote/channels';
import { createHost } from './lifecycle/create';
import { destroyHost, destroyHosts } from './lifecycle/destroy';
import { findTask, hostsOf, listHosts } from './lifecycle/find';
import { idleSecondsOf } from './remote/idle';
import { renameHost, tagHost } from './lifecycle/rename-and-tag';
import { checkKeys } from './agents/force';
import { sendKeys, sendMessage } from './remote/message';
import { execOnHost } from './remote/exec';
import { makeServices } from './services';
import type { Services } from './services';
import { sshArguments } from './remote/ssh-arguments';
import type { SshCommandOptions } from './remote/ssh-arguments';
import type { Route } from './remote/carrier';
import { isLasting } from '../aws/aws-errors';
import { hasEnded } from './ecs/stopped-task';
import type {
  CallOptions,
  CreateHostRequest,
  CreatedHost,
  CreateOptions,
  DestroyOutcome,
  DestroyResult,
  ExecOptions,
  ExecResult,
  Host,
  HostReference,
  HostsOptions,
  ListFilter,
  LogLine,
  LogOptions,
  MessageOptions,
  PressOptions,
} from './model/types';

/**
 * The launcher of one provider. It holds SDK clients and SSH connections: call `close` when done. Errors are
 * MngrFargateError. Every method honours its AbortSignal, and stops what it has started before it throws.
 */
export class Hosts {
  private readonly services: Services;
  private readonly channels: Channels;
  private readonly background = new Background();

  constructor(options: HostsOptions) {
    this.services = makeServices(options);
    this.channels = new Channels(this.services, this.background);
  }

  create(request: CreateHostRequest, options: CreateOptions = {}): Promise<CreatedHost> {
    const { services, background, channels } = this;
    const keepChannel = channels.keep.bind(channels);
    return createHost({ services, background, keepChannel }, request, options);
  }

  list(filter: ListFilter = {}, { signal }: CallOptions = {}): Promise<Host[]> {
    return listHosts(this.services, filter, signal);
  }

  async get(reference: HostReference, { signal }: CallOptions = {}): Promise<Host> {
    const task = await findTask(this.services, reference, signal);
    const [host] = await hostsOf(this.services, [task], signal);
    return host as Host;
  }

  /** Idempotent: destroying a host that has already stopped succeeds with `wasRunning: false`. */
  destroy(reference: HostReference, { signal }: CallOptions = {}): Promise<DestroyResult> {
    return destroyHost(this.services, this.channels, reference, signal);
  }

  /** Stops each of these hosts, as `list` or `get` returned them, whatever happens to the others. */
  destroyEach(hosts: readonly Host[], { signal }: CallOptions = {}): Promise<DestroyOutcome[]> {
    return destroyHosts(this.services, this.channels, hosts, signal);
  }

  /** Stops each host of the provider that a listing shows now. */
  async destroyAll({ signal }: CallOptions = {}): Promise<DestroyOutcome[]> {
    return this.destroyEach(await this.list({}, { signal }), { signal });
  }

  rename(reference: HostReference, name: string, { signal }: CallOptions = {}): Promise<Host> {
    return renameHost(this.services, reference, name, signal);
  }

  /** Sets and removes user tags. */
  tag(
    reference: HostReference,
    change: { readonly set?: Readonly<Record<string, string>>; readonly remove?: readonly string[] },
    { signal }: CallOptions = {},
  ): Promise<Host> {
    return tagHost(this.services, reference, change, signal);
  }

  /** Waits until a host that was created without waiting can be used, and returns it. */
  async ensureReady(reference: HostReference, { signal }: CallOptions = {}): Promise<Host> {
    const host = await this.get(reference, { signal });
    await this.channels.to(host, signal);
    return host.ready && host.knownHostsFile !== null ? host : this.get(host.taskArn, { signal });
  }

  async exec(reference: HostReference, command: readonly string[], options: ExecOptions = {}): Promise<ExecResult> {
    return execOnHost(await this.channel(reference, options.signal), command, options);
  }

  /**
   * Types the exact text into the agent's tmux session, presses Enter, and returns when the agent has it. Throws
   * `agent-not-ready` if nothing was typed because a dialog, a shell or another program has the keyboard or nothing reads
   * it, and `timed-out` if the agent did not take the text. `details.screen` is the content of the screen.
   */
  async message(reference: HostReference, text: string, options: MessageOptions = {}): Promise<void> {
    const host = await this.get(reference, options);
    await sendMessage(await this.channels.to(host, options.signal), host.name, text, options);
  }

  /** Presses keys in the agent's tmux session, by tmux's names: `Enter`, `Escape`, `C-c`. */
  async press(reference: HostReference, keys: readonly string[], options: PressOptions = {}): Promise<void> {
    checkKeys(keys);
    const host = await this.get(reference, options);
    await sendKeys(await this.channels.to(host, options.signal), host.name, keys, options);
  }

  /** Copies files and folders to the host, recursively, over SFTP. */
  async upload(
    reference: HostReference,
    local: string,
    remote: string,
    options: CopyOptions = {},
  ): Promise<CopyResult> {
    return upload(await this.channel(reference, options.signal), local, remote, options);
  }

  /** Copies from the host. It is not trusted: nothing is written outside `local`, and no link that leads out of it is made. */
  async download(
    reference: HostReference,
    remote: string,
    local: string,
    options: CopyOptions = {},
  ): Promise<CopyResult> {
    return download(await this.channel(reference, options.signal), remote, local, options);
  }

  async *logs(reference: HostReference, options: LogOptions = {}): AsyncGenerator<LogLine> {
    const { tasks, logs } = this.services;
    const task = await findTask(this.services, reference, options.signal);
    const { taskArn = '', taskDefinitionArn = '' } = task;
    const ended = async (): Promise<boolean> => {
      try {
        const [now] = await tasks.describe([taskArn], options.signal);
        return now === undefined || hasEnded(now);
      } catch (error) {
        if (isLasting(error)) throw error;
        return false;
      }
    };
    yield* logs.read({ taskArn, taskDefinitionArn }, options, ended);
  }

  /** Arguments of the system's `ssh` with the pinned key, and the remote command if one is given. */
  sshArguments(host: Host, remoteCommand?: readonly string[], options?: SshCommandOptions): string[] {
    return sshArguments({ ...host, address: this.services.carrier.addressFor(host) }, remoteCommand, options);
  }

  /** The bastions on the way to the hosts, if there are any. */
  get proxyJump(): string | undefined {
    const { proxy_jump: named } = this.services.config;
    return named === NO_PROXY_JUMP ? undefined : named;
  }

  /** How SSH gets to a host now. The system's `ssh` needs a `proxy` for any way but the direct one. */
  sshRoute(host: Host, { signal }: CallOptions = {}): Promise<Route> {
    return this.services.carrier.routeTo(host, signal);
  }

  /** A connection to the host's sshd for another SSH client. That client has to verify the host's key. */
  openSsh(host: Host, { signal }: CallOptions = {}): Promise<Duplex> {
    return this.services.carrier.open(host, signal);
  }

  /** Seconds since the last activity, which the host is asked for over SSH; null if this machine can't reach it. */
  async idleSeconds(host: Host, { signal }: CallOptions = {}): Promise<number | null> {
    if (host.identityFile === null || !host.ready) return null;
    try {
      return await idleSecondsOf(await this.channels.to(host, signal), signal);
    } catch {
      return null;
    }
  }

  /**
   * Closes connections and SDK clients once the last tags are written. Throws if a host could not be marked as ready, since
   * the reaper would stop it eventually.
   */
  async close(): Promise<void> {
    await this.channels.close();
    try {
      await this.services.carrier.close();
      await this.background.settle();
    } finally {
      this.services.watch.close();
      this.services.clients.destroy();
    }
  }

  /**
   * The connection to a host that everything here shares: it isn't the caller's to close. A host that isn't ready yet is
   * set up first. Once it is lost, the next call opens another.
   */
  async openChannel(reference: HostReference, { signal }: CallOptions = {}): Promise<HostChannel> {
    return this.channels.to(await this.get(reference, { signal }), signal);
  }

  private channel(reference: HostReference, signal?: AbortSignal): Promise<HostChannel> {
    return this.openChannel(reference, { signal });
  }
}
