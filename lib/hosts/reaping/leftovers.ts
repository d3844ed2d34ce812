import type { Census } from './census';

/** Something that a host has left behind and nothing needs anymore. */
export interface Leftover {
  /** An ARN or a host id, which identifies it in the log and for its removal. */
  readonly id: string;
  /** Why nothing needs it, for people to read. */
  readonly because: string;
}

/**
 * One kind of leftovers, for example task definition revisions. A run asks each kind once it has seen all live tasks.
 * Anything that may still be needed is not a leftover.
 */
export interface LeftoverKind {
  readonly kind: string;
  /** Leftovers at AWS's time `now`. Throws `denied` if the credentials may not look for them. */
  find(census: Census, now: number, signal?: AbortSignal): Promise<readonly Leftover[]>;
  remove(leftover: Leftover, signal?: AbortSignal): Promise<void>;
}
