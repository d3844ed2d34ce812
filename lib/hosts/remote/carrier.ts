import type { Duplex } from 'node:stream';
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
  /** Where its sshd may be reached, the address that answered first. Its key is pinned for them. Empty if it has none. */
  readonly addresses: readonly HostAddress[];
  readonly publicIp: string | null;
  /** Null if the carrier did not look it up. */
  readonly privateIp: string | null;
  readonly ipv6: string | null;
}

/** How SSH gets to a host: to its own address from here, to that from a bastion, or through Session Manager. */
export type Route = 'direct' | 'jump' | 'session';

/** A way to reach hosts. It only returns a channel after it has verified the host's key. */
export interface Carrier {
  /** What must be in order before there is a host to reach. Throws what `reach` would throw for it. */
  prepare?(signal?: AbortSignal): Promise<void>;
  /**
   * Waits until a starting host accepts a login, and logs in. Calls `onFound` once the address is known and only sshd is
   * missing. Throws `unverified-host-key`, `denied`, `unreachable`, `aborted`.
   */
  reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost>;
  /** Logs in to a host whose key was pinned at its first login. Throws the same errors, and `timed-out`. */
  connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel>;
  /** The way on which `open` would go now. */
  routeTo(host: Host, signal?: AbortSignal): Promise<Route>;
  /** The address for another SSH client: the one that answered this process, else the host's first. Null if it has none. */
  addressFor(host: Host): HostAddress | null;
  /** A connection to sshd for another SSH client, which has to verify the host's key. Throws `unreachable`, `denied`, `aborted`. */
  open(host: Host, signal?: AbortSignal): Promise<Duplex>;
  /** Resolves when nothing of this carrier is open at AWS any more. Its channels must have been closed. */
  close(): Promise<void>;
}
