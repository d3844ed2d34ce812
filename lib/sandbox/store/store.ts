import type { AuditEntry, EndReason, EventKind, EventResult, EventStatus, Key, SessionStatus } from '../model/types';

/**
 * Where the service keeps what must survive it. Every method is atomic and durable as it says; a change that depends on the
 * present state is one conditional call, never a read and a later write, so that several replicas could share a store.
 * `test/sandbox/store/contract.ts` is what any implementation must pass. Times are Unix milliseconds.
 */
export interface Store {
  /** Random, made with the store: marks this service's hosts. */
  readonly serviceId: string;

  /**
   * Stores a new session and its idempotency key, if one is given, durably. The limits count sessions that may still have
   * a host.
   */
  createSession(
    session: NewSession,
    limits: { readonly all: number; readonly ofKey: number },
    idempotency?: Idempotency,
  ): Promise<CreateOutcome>;
  /** The newest session with the id. */
  session(tenant: string, id: string): Promise<StoredSession | undefined>;
  generation(generation: string): Promise<StoredSession | undefined>;
  /** Newest first, each id's newest session alone. `after` is the `order` of the last one seen. */
  sessions(filter: SessionFilter): Promise<readonly StoredSession[]>;
  /** Every session that isn't destroyed or whose host may still be there. */
  openSessions(): Promise<readonly StoredSession[]>;
  /** Renews the time to live of an active session. False if it isn't active. Not durable at once. */
  touch(generation: string, at: number): Promise<boolean>;
  /** Changes an active session; undefined if it isn't active. */
  changeSession(generation: string, change: SessionChange): Promise<StoredSession | undefined>;
  /** Records what is known about a session's host, whatever its state. */
  recordHost(generation: string, host: HostChange): Promise<void>;
  /**
   * Compare and set: undefined unless the session is in one of the states `from` and, where `expiredAt` is given, its time
   * to live or its age has run out by then.
   */
  moveSession(generation: string, move: SessionMove): Promise<StoredSession | undefined>;

  /** Takes the next number of an active session and stores the event, durably. */
  submitEvent(generation: string, event: NewEvent, idempotency?: Idempotency): Promise<SubmitOutcome>;
  event(generation: string, seq: number): Promise<StoredEvent | undefined>;
  /** In their order; `hasMore` may be true after fewer than `limit`, so that a page's output stays small. */
  events(
    generation: string,
    page: { readonly afterSeq: number; readonly limit: number },
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly hasMore: boolean }>;
  /** Pending and running ones in their order, without results. */
  openEvents(generation: string): Promise<readonly StoredEvent[]>;
  /** Generations that have pending or running events. */
  busyGenerations(): Promise<readonly string[]>;
  /** From pending to running. False if it isn't pending. Not durable at once: a start is repeatable. */
  startEvent(generation: string, seq: number, at: number): Promise<boolean>;
  /** From pending or running to its one end; the sealed part is erased. False if it has ended already, or has started. */
  endEvent(generation: string, seq: number, end: EventEnd): Promise<boolean>;
  /** Ends every open event of a session. Returns their numbers. */
  endOpenEvents(generation: string, end: Omit<EventEnd, 'log'>): Promise<readonly number[]>;
  /** The kept output of an ended event as frames (lib/contract/sandboxd.ts). */
  outputLog(generation: string, seq: number): Promise<Buffer | undefined>;
  /** Ended events whose output the engine still has, oldest first. */
  keptByEngine(generation: string): Promise<readonly KeptByEngine[]>;
  /** Durable, with all that was written before: from then on the engine may forget the output. */
  forgottenByEngine(generation: string, seqs: readonly number[]): Promise<void>;

  /**
   * Who does the work of `name` until the lease runs out. True for its holder and for whoever takes a free or run-out one.
   */
  takeLease(name: string, holder: string, now: number, untilMs: number): Promise<boolean>;
  releaseLease(name: string, holder: string): Promise<void>;

  /** False if an unrevoked key has the name. */
  putKey(key: StoredKey): Promise<boolean>;
  keys(): Promise<readonly StoredKey[]>;
  /** By id, or by the name of an unrevoked key. */
  revokeKey(nameOrId: string, at: number): Promise<StoredKey | undefined>;
  useKey(id: string, at: number): Promise<void>;

  audit(entry: AuditEntry): Promise<void>;
  auditTrail(
    tenant: string,
    page: { readonly limit: number; readonly before?: number },
  ): Promise<readonly (AuditEntry & { readonly order: number })[]>;

  /** Removes destroyed sessions, audit entries and idempotency keys that are older than these times. */
  prune(before: {
    readonly destroyed: number;
    readonly audit: number;
    readonly idempotency: number;
  }): Promise<{ readonly sessions: number }>;
  /** Makes everything durable and releases the store. */
  close(): Promise<void>;
}

export interface NewSession {
  readonly tenant: string;
  readonly id: string;
  readonly generation: string;
  readonly keyId: string;
  readonly hostName: string;
  readonly createdAt: number;
  readonly ttlSeconds: number;
  readonly endsAt: number;
  readonly image: string | null;
  readonly cpu: number;
  readonly memory: number;
  readonly metadata: Readonly<Record<string, unknown>>;
}

/** When each stage of a host was reached. */
export type Stages = Readonly<Partial<Record<'requested' | 'task' | 'address' | 'ssh' | 'ready' | 'stopped', number>>>;

/** ECS's words about a task's end. */
export interface StopFacts {
  readonly stopCode: string | null;
  readonly stoppedReason: string | null;
  readonly containerReason: string | null;
  readonly exitCode: number | null;
}

export interface StoredSession extends NewSession {
  /** Grows with each session of the store. */
  readonly order: number;
  readonly status: SessionStatus;
  readonly ready: boolean;
  readonly lastActiveAt: number;
  readonly expiresAt: number;
  /** Its owner has said that it is in use until then. */
  readonly busyUntil: number | null;
  readonly staleAt: number | null;
  readonly destroyedAt: number | null;
  readonly endReason: EndReason | null;
  readonly taskArn: string | null;
  /** No task of the session runs any more, or can appear. */
  readonly hostGone: boolean;
  readonly problem: string | null;
  readonly stages: Stages;
  readonly stop: StopFacts | null;
  readonly costUsd: number | null;
}

export interface SessionFilter {
  /** Absent: of all tenants. */
  readonly tenant?: string;
  readonly status?: readonly SessionStatus[];
  /** Members of the metadata that must be this text, or a number or boolean written so. */
  readonly metadata?: Readonly<Record<string, string>>;
  readonly limit: number;
  readonly after?: number;
}

export interface SessionChange {
  readonly ttlSeconds?: number;
  readonly busyUntil?: number | null;
  /** Members to set; null removes one. */
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** The change counts as a use at this time. */
  readonly at: number;
}

export interface HostChange {
  readonly ready?: boolean;
  readonly taskArn?: string;
  readonly hostGone?: boolean;
  readonly problem?: string;
  /** Added to those that are known. */
  readonly stages?: Stages;
  readonly stop?: StopFacts;
  readonly costUsd?: number;
}

export interface SessionMove {
  readonly from: readonly SessionStatus[];
  readonly to: 'stale' | 'destroyed';
  readonly at: number;
  readonly endReason?: EndReason;
  readonly problem?: string;
  readonly expiredAt?: number;
}

/** A request that may be repeated for a day: its key within a tenant, and a digest of what was asked. */
export interface Idempotency {
  readonly tenant: string;
  readonly key: string;
  readonly digest: string;
  readonly at: number;
}

export type CreateOutcome =
  | { readonly type: 'created' | 'repeated'; readonly session: StoredSession }
  | { readonly type: 'exists'; readonly session: StoredSession }
  | { readonly type: 'ceiling' | 'quota' | 'idempotency-conflict' };

export interface NewEvent {
  readonly kind: EventKind;
  readonly payload: Readonly<Record<string, unknown>>;
  /** Commands of one queue run in order; null runs at once. */
  readonly queue: string | null;
  /** What the engine is to do, encrypted. */
  readonly sealed: Buffer;
  readonly submittedAt: number;
}

export interface StoredEvent {
  readonly id: number;
  readonly generation: string;
  readonly sessionId: string;
  readonly seq: number;
  readonly kind: EventKind;
  readonly status: EventStatus;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly queue: string | null;
  /** Null once it has ended. */
  readonly sealed: Buffer | null;
  readonly result: EventResult | null;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

export type SubmitOutcome =
  | { readonly type: 'submitted' | 'repeated'; readonly event: StoredEvent }
  | { readonly type: 'inactive' | 'too-many' | 'idempotency-conflict' };

export interface EventEnd {
  readonly status: 'done' | 'error';
  readonly at: number;
  readonly startedAt?: number | null;
  /** Without the output, which is in `log`. */
  readonly result: Omit<EventResult, 'stdout' | 'stderr'>;
  /** Frames of the kept output, `gap` frames among them. */
  readonly log: Buffer;
  /** Whether the engine has the output too, or more of it than the log. Default: it has none. */
  readonly inEngine?: 'same' | 'more';
  /** Ends nothing that has started. Default: false. */
  readonly pendingOnly?: boolean;
}

export interface KeptByEngine {
  readonly seq: number;
  readonly endedAt: number;
  readonly has: 'same' | 'more';
}

export interface StoredKey extends Key {
  /** SHA-256 of the secret, which is 256 random bits. */
  readonly hash: Buffer;
}
