import type { Duplex } from 'node:stream';
import { isMngrFargateError } from '../contract/errors';

/** Makes connections from somewhere else than this machine. */
export interface Dialer {
  /** From where, in words. */
  readonly via: string;
  /** Throws `unreachable`, `denied`, `unverified-host-key`, `timed-out`, `aborted`. */
  dial(host: string, port: number, signal?: AbortSignal): Promise<Duplex>;
}

/** In the details of a `denied` for one address alone: another address may be allowed. */
export const REFUSED_ADDRESS = 'refusedAddress';

export const isRefusedAddress = (error: unknown): boolean =>
  isMngrFargateError(error) && error.code === 'denied' && REFUSED_ADDRESS in error.details;
