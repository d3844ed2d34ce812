import type { Duplex } from 'node:stream';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import type { JumpHost } from '../../contract/proxy-jump';
import { NO_PROXY_JUMP, parseProxyJump } from '../../contract/proxy-jump';
import { orAborted } from '../../util/abort';
import type { Dialer } from '../dialer';
import { REFUSED_ADDRESS } from '../dialer';
import type { OpenStream } from './hop-login';
import { bastionName, logInToHop, openFromHere } from './hop-login';
import type { HopSettings, UserSsh } from './hop-settings';
import { hopSettings } from './hop-settings';

/** The longest chain; one that is longer leads back to itself in the user's configuration. */
const MOST_HOPS = 16;

/** The bastions on the way to all hosts: one login to each, over which any number of connections go. */
export class Jump implements Dialer {
  private readonly over = new AbortController();
  private opening: Promise<readonly HostChannel[]> | undefined;
  /** Those that are open, the nearest first. */
  private channels: readonly HostChannel[] = [];

  constructor(
    private readonly hops: readonly JumpHost[],
    private readonly userSsh: UserSsh = {},
  ) {}

  get via(): string {
    return this.hops.map(({ host }) => host).join(', ');
  }

  /** Logs in to all bastions, unless that is done. Throws as `logInToHop`, and `usage` for the user's configuration. */
  async open(signal?: AbortSignal): Promise<HostChannel> {
    if (this.channels.some((channel) => channel.lostBecause() !== undefined)) this.forget();
    if (this.opening === undefined) {
      this.opening = this.chain();
      this.opening.catch(() => this.forget());
    }
    const channels = await orAborted(this.opening, `logging in to the bastion ${this.via}`, signal);
    return channels.at(-1) as HostChannel;
  }

  /** A connection from the last bastion. */
  async dial(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
    return streamFrom(await this.open(signal), host, port, signal);
  }

  async close(): Promise<void> {
    this.over.abort();
    await this.opening?.catch(() => undefined);
    this.forget();
  }

  private forget(): void {
    for (const channel of [...this.channels].reverse()) channel.close();
    this.channels = [];
    this.opening = undefined;
  }

  private async chain(): Promise<readonly HostChannel[]> {
    const { signal } = this.over;
    for (const settings of await this.settings(signal)) {
      const before = this.channels.at(-1);
      const open: OpenStream =
        before === undefined ? openFromHere : (host, port, either) => streamFrom(before, host, port, either);
      this.channels = [...this.channels, await logInToHop(settings, open, signal)];
    }
    return this.channels;
  }

  /** With the bastions that the user's ssh_config puts before the first one. */
  private async settings(signal: AbortSignal): Promise<readonly HopSettings[]> {
    const all = await Promise.all(this.hops.map((hop) => hopSettings(hop, this.userSsh, signal)));
    for (let first = all[0]; first !== undefined && isJump(first.proxyJump); first = all[0]) {
      const before = parseProxyJump(first.proxyJump);
      if (before === undefined || all.length + before.length > MOST_HOPS) {
        throw new MngrFargateError(
          'usage',
          `the ProxyJump of the bastion ${bastionName(first)} in ssh's configuration can't be used: ${JSON.stringify(first.proxyJump)}`,
          { hint: `a ProxyJump leads to [USER@]HOST[:PORT], at most ${MOST_HOPS} in all, and not back to itself` },
        );
      }
      all.unshift(...(await Promise.all(before.map((hop) => hopSettings(hop, this.userSsh, signal)))));
    }
    return all;
  }
}

const isJump = (text: string | undefined): text is string => text !== undefined && text !== NO_PROXY_JUMP;

/** A connection that a bastion makes. Throws `unreachable` or `denied` with what it says. */
async function streamFrom(bastion: HostChannel, host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
  try {
    const stream = await bastion.forward(host, port, { signal });
    // An error before anybody listens must not crash the process.
    return stream.on('error', () => undefined);
  } catch (error) {
    if (!isMngrFargateError(error) || error.code === 'aborted') throw error;
    const said = bastion.lostBecause()?.message ?? saidIn(error.cause) ?? error.message;
    const hint =
      error.code === 'denied'
        ? "its sshd doesn't allow connections there: ask who runs it (`AllowTcpForwarding`, `PermitOpen`)"
        : 'check that the host is running, and that its security group lets the bastion in (context key `sshCidr`)';
    const problem = `the bastion ${bastion.where} cannot connect to ${host} port ${port}: ${said}`;
    const details = error.code === 'denied' ? { [REFUSED_ADDRESS]: host } : {};
    throw new MngrFargateError(error.code, problem, { cause: error, hint, details });
  }
}

const saidIn = (cause: unknown): string | undefined =>
  cause instanceof Error ? cause.message.replace(/^\(SSH\) Channel open failure: /, '').toLowerCase() : undefined;
