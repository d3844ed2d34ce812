import type { HostChannel } from '../../contract/channel';
import type { Host, HostAddress } from '../model/types';

/** A host that nobody has logged in to yet. The nonce that was passed to RunTask proves its key. */
export interface NewHost {
  readonly name: string;
  readonly taskArn: string;
  readonly privateKey: string;
  readonly nonce: string;
}

export interface ReachedHost {
  readonly channel: HostChannel;
  /** Where the host was reached. Its key is pinned for this address. */
  readonly address: HostAddress;
  readonly publicIp: string | null;
  /** Null if the carrier did not look it up. */
  readonly privateIp: string | null;
}

/** A way to reach hosts. It only returns a channel after it has verified the host's key. */
export interface Carrier {
  /**
   * Waits until a starting host accepts a login, and logs in. Calls `onFound` once the address is known and only sshd is
   * missing. Throws `unverified-host-key`, `denied`, `unreachable`, `aborted`.
   */
  reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost>;
  /** Logs in to a host whose key was pinned at its first login. Throws the same errors, and `timed-out`. */
  connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel>;
}
