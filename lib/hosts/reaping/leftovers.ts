import type { Census } from './census';

/** Something that a host has left behind and nothing needs any more. */
export interface Leftover {
  /** An ARN or a path: what it is told by, and removed by. */
  readonly id: string;
  /** For people: why nothing needs it. */
  readonly because: string;
}

/**
 * One kind of leftovers, for example task definition revisions. A run asks each kind once it has seen all live tasks; what
 * a kind isn't sure about it doesn't give.
 */
export interface LeftoverKind {
  readonly kind: string;
  /** Leftovers at this time, `now` being AWS's. Throws `denied` where the credentials may not look. */
  find(census: Census, now: number, signal?: AbortSignal): Promise<readonly Leftover[]>;
  remove(leftover: Leftover, signal?: AbortSignal): Promise<void>;
}
