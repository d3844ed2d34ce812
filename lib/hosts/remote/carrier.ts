import type { HostChannel } from '../../contract/channel';
import type { Host, HostAddress } from '../model/types';

/** A host that nobody has logged in to yet. Its key is proved by the nonce that RunTask passed. */
export interface NewHost {
  readonly name: string;
  readonly taskArn: string;
  readonly privateKey: string;
  readonly nonce: string;
}

export interface ReachedHost {
  readonly channel: HostChannel;
  /** Where the host was reached, which is also what its key is pinned for. */
  readonly address: HostAddress;
  readonly publicIp: string | null;
  /** Null where the carrier had no need of it. */
  readonly privateIp: string | null;
}

/** One way of reaching hosts. Whatever carries it, a channel is only given once the host's key is verified. */
export interface Carrier {
  /**
   * Waits until a host that is still starting can be logged in to, and logs in. `onFound` is called when only sshd is
   * still to be waited for. Throws `unverified-host-key`, `denied`, `unreachable`, `aborted`.
   */
  reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost>;
  /** Logs in to a host whose key was pinned by its first login. Throws the same, and `timed-out`. */
  connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel>;
}
