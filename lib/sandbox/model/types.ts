import type { CommandResult, StdinMode } from '../../contract/sandboxd';

/** Who calls: what a key stands for. Sessions belong to a tenant; two tenants may use the same id. */
export interface Caller {
  readonly tenant: string;
  readonly keyId: string;
  readonly keyName: string;
  readonly admin: boolean;
}

/** `active`: in use; `stale`: past its time to live, its host is being stopped; `destroyed`: gone, its events are kept for a while. */
export type SessionStatus = 'active' | 'stale' | 'destroyed';

/** Why a session ended. */
export type EndReason = 'deleted' | 'expired' | 'max-age' | 'failed' | 'host-stopped' | 'orphaned';

/** All times of the service are Unix milliseconds. */
export interface Session {
  readonly tenant: string;
  readonly id: string;
  /** Tells this session from earlier and later ones with the same id. */
  readonly generation: string;
  readonly status: SessionStatus;
  /** True once its host answers; commands that come earlier wait. */
  readonly ready: boolean;
  readonly createdAt: number;
  readonly lastActiveAt: number;
  /** When it becomes stale unless it is used. */
  readonly expiresAt: number;
  /** Until then it counts as used, as its owner has said. */
  readonly busyUntil: number | null;
  /** When it is destroyed even in use. */
  readonly endsAt: number;
  readonly ttlSeconds: number;
  readonly image: string | null;
  /** CPU units and MiB. */
  readonly cpu: number;
  readonly memory: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly destroyedAt: number | null;
  readonly endReason: EndReason | null;
}

export interface CreateSession {
  /** Default: a new UUID. Any text of 1 to 128 characters without control characters and `/`. */
  readonly id?: string;
  /** At least 5. Default: the service's. */
  readonly ttlSeconds?: number;
  readonly image?: string;
  readonly cpu?: number;
  readonly memory?: number;
  readonly metadata?: Readonly<Record<string, unknown>>;
  /** False answers as soon as the session is stored; its calls then wait for the host. Default true. */
  readonly wait?: boolean;
}

export interface ChangeSession {
  readonly ttlSeconds?: number;
  /** From now on it counts as used for this many seconds; 0 ends that. */
  readonly busySeconds?: number;
  /** Replaces the members that it has; null removes one. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

export type EventKind =
  | 'exec_submit'
  | 'git_clone'
  | 'git_commit'
  | 'git_status'
  | 'git_diff'
  | 'git_log'
  | 'git_branch'
  | 'git_checkout'
  | 'git_push'
  | 'git_pull';

export type EventStatus = 'pending' | 'running' | 'done' | 'error';

export const hasEnded = ({ status }: { readonly status: EventStatus }): boolean =>
  status === 'done' || status === 'error';

/** One command of a session. `seq` counts from 1 in each session, over all kinds. */
export interface SandboxEvent {
  /** Unique in the service: the seed's client asks for a whole number. */
  readonly id: number;
  readonly sessionId: string;
  readonly seq: number;
  readonly kind: EventKind;
  readonly status: EventStatus;
  /** What was asked, without `env` and secrets. */
  readonly payload: Readonly<Record<string, unknown>>;
  readonly result: EventResult | null;
  readonly submittedAt: number;
  readonly startedAt: number | null;
  readonly completedAt: number | null;
}

export interface EventResult extends CommandResult {
  /** What is kept of the output. */
  readonly stdout: Buffer;
  readonly stderr: Buffer;
}

/** What a command is to do, once it is checked. `env` and `secret` are handed to the engine and never stored in the clear. */
export interface SubmitEvent {
  readonly kind: EventKind;
  readonly payload: Readonly<Record<string, unknown>>;
  readonly shell?: string;
  readonly command?: string;
  readonly argv?: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutSeconds?: number;
  readonly user?: string;
  readonly stdin?: StdinMode;
  readonly terminal?: { readonly cols: number; readonly rows: number };
  readonly secret?: string;
}

/** A piece of a command's output, or its end. `offset` is that of the piece's first byte. */
export type OutputPiece =
  | { readonly type: 'stdout' | 'stderr'; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'gap'; readonly offset: number; readonly length: number }
  | { readonly type: 'alive' }
  | { readonly type: 'exit'; readonly offset: number; readonly event: SandboxEvent };

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; null on the last page. */
  readonly next: string | null;
}

export interface Key {
  readonly id: string;
  readonly name: string;
  readonly tenant: string;
  readonly admin: boolean;
  /** Calls a second; null is the service's default. */
  readonly rate: number | null;
  readonly createdAt: number;
  readonly lastUsedAt: number | null;
  readonly revokedAt: number | null;
}

export interface Diagnostics {
  readonly session: Session;
  readonly taskArn: string | null;
  /** ECS's words. */
  readonly taskState: string | null;
  readonly stopCode: string | null;
  readonly stoppedReason: string | null;
  readonly containerReason: string | null;
  readonly exitCode: number | null;
  readonly endReason: EndReason | null;
  /** Why the host could not be started or was given up, for people. */
  readonly problem: string | null;
  /** When each stage was reached. */
  readonly stages: Readonly<Partial<Record<'requested' | 'task' | 'address' | 'ssh' | 'ready' | 'stopped', number>>>;
  readonly logLines: readonly { readonly timestamp: string; readonly message: string }[];
  readonly cost: Cost;
}

export interface Cost {
  readonly usd: number;
  readonly usdPerHour: number;
  readonly billedFrom: number | null;
}

/** What is written about each call that changes something: never contents, never secrets. */
export interface AuditEntry {
  readonly at: number;
  readonly tenant: string;
  readonly keyId: string;
  readonly action: string;
  readonly sessionId: string | null;
  readonly status: number;
  readonly requestId: string;
}
