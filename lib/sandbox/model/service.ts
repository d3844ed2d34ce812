import type { Duplex, Readable } from 'node:stream';
import type { EngineClient } from '../engine/engine-client';
import type { SignalName } from '../../contract/sandboxd';
import type {
  AuditEntry,
  Caller,
  ChangeSession,
  CreateSession,
  Diagnostics,
  Key,
  OutputPiece,
  Page,
  SandboxEvent,
  Session,
  SubmitEvent,
} from './types';

interface Call {
  readonly signal?: AbortSignal;
}

/**
 * The service behind the HTTP routes. Every method that takes a caller sees only the sessions of the caller's tenant (all of
 * them if `caller.admin` and `tenant` is given): any other session is not found. Errors are SandboxError (model/errors.ts).
 */
export interface SandboxService {
  /** Compares hashes in constant time. Undefined for an unknown or revoked key. */
  authenticate(secret: string): Promise<Caller | undefined>;
  /** Counts the call against the key's rate. Throws `rate_limited` with `retryAfterSeconds`. */
  admit(caller: Caller): void;

  create(
    caller: Caller,
    request: CreateSession,
    options?: Call & { readonly idempotencyKey?: string },
  ): Promise<Session>;
  get(caller: Caller, id: string): Promise<Session>;
  list(
    caller: Caller,
    filter: {
      readonly metadata?: Readonly<Record<string, string>>;
      readonly status?: readonly Session['status'][];
      readonly limit?: number;
      readonly cursor?: string;
    },
  ): Promise<Page<Session>>;
  change(caller: Caller, id: string, change: ChangeSession): Promise<Session>;
  /** Not found if it is unknown or already destroyed. */
  destroy(caller: Caller, id: string): Promise<Session>;
  diagnostics(caller: Caller, id: string): Promise<Diagnostics>;

  submit(
    caller: Caller,
    id: string,
    event: SubmitEvent,
    options?: { readonly idempotencyKey?: string },
  ): Promise<SandboxEvent>;
  /** With `waitMs`, returns when the event has ended or the time is up. Works for destroyed sessions too. */
  event(caller: Caller, id: string, seq: number, options?: Call & { readonly waitMs?: number }): Promise<SandboxEvent>;
  history(
    caller: Caller,
    id: string,
    page: { readonly limit: number; readonly afterSeq: number },
  ): Promise<{ readonly events: readonly SandboxEvent[]; readonly hasMore: boolean }>;
  /** From the offset on, live, up to one `exit`. Goes on over restarts of the engine and lost connections. */
  output(
    caller: Caller,
    id: string,
    seq: number,
    options?: Call & { readonly from?: number },
  ): AsyncIterable<OutputPiece>;
  /** Streams to the command's stdin with back-pressure; `close` ends it after the data. */
  stdin(
    caller: Caller,
    id: string,
    seq: number,
    data: Readable,
    options: Call & { readonly close: boolean },
  ): Promise<void>;
  signal(caller: Caller, id: string, seq: number, name: SignalName): Promise<void>;
  resize(
    caller: Caller,
    id: string,
    seq: number,
    size: { readonly cols: number; readonly rows: number },
  ): Promise<void>;
  /** Ends a shell session of the sandbox with all of its processes; the next command of that name gets a new one. */
  endShell(caller: Caller, id: string, shell: string): Promise<void>;

  /**
   * The engine of a session that is in use for as long as `work` takes: waits until the host is ready, renews the time to
   * live before and after, and keeps the session from becoming stale meanwhile. For files, watches and the like.
   */
  use<T>(caller: Caller, id: string, work: (engine: EngineClient) => Promise<T>, options?: Call): Promise<T>;
  /** A connection to a port of the sandbox on its own loopback address. The session is in use while it is open. */
  connectPort(caller: Caller, id: string, port: number, options?: Call): Promise<Duplex>;

  createKey(request: {
    readonly name: string;
    readonly tenant?: string;
    readonly admin?: boolean;
    readonly rate?: number;
  }): Promise<{ readonly key: Key; readonly secret: string }>;
  listKeys(): Promise<readonly Key[]>;
  /** By name or id. Throws `key_not_found`. */
  revokeKey(name: string): Promise<Key>;

  /** Signs and checks links that expire, for ports and files. */
  sign(text: string): string;
  verify(text: string, signature: string): boolean;

  audit(entry: AuditEntry): void;
  /** Entries of the caller's tenant, newest first. */
  auditTrail(caller: Caller, page: { readonly limit: number; readonly cursor?: string }): Promise<Page<AuditEntry>>;

  /** Stops the loops and closes connections; the sandboxes go on. */
  close(): Promise<void>;
}
