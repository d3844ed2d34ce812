import type { Duplex } from 'node:stream';

/** Makes connections from somewhere else than this machine. */
export interface Dialer {
  /** From where, in words. */
  readonly via: string;
  /** Throws `unreachable`, `denied`, `unverified-host-key`, `timed-out`, `aborted`. */
  dial(host: string, port: number, signal?: AbortSignal): Promise<Duplex>;
}
