import { randomBytes, randomUUID } from 'node:crypto';
import type { Duplex, Readable } from 'node:stream';
import type { SignalName } from '../../contract/sandboxd';
import type { Hosts } from '../../hosts';
import { mapBounded } from '../../util/bounded';
import type { EngineClient } from '../engine/engine-client';
import { isSandboxError, SandboxError } from '../model/errors';
import type { SandboxService } from '../model/service';
import { hasEnded } from '../model/types';
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
} from '../model/types';
import type { SandboxSettings } from '../settings';
import type { Idempotency, Store, StoredSession } from '../store';
import { Changes } from './changes';
import { diagnosticsOf } from './diagnostics';
import { asUnavailable, Engines } from './engines';
import type { InstallEngine } from './engines';
import { Keys } from './keys';
import type { KeyRequest } from './keys';
import { Lifecycle } from './lifecycle';
import { outputOf } from './output';
import { RateLimit } from './rate';
import {
  checkId,
  checkIdempotencyKey,
  checkImage,
  checkMetadata,
  checkTtl,
  commandRequestOf,
  digestOf,
  queueOf,
  sizeOf,
} from './requests';
import { commandId, endedWithoutRun, Runner, sealContext } from './runner';
import type { ServiceSecrets } from './secrets';
import { hostNameOf, SessionHosts } from './session-hosts';
import { SWEEP_TIMES, Sweeper } from './sweeper';
import type { SweepTimes } from './sweeper';
import { Usage } from './usage';
import { eventView, sessionView } from './views';

const PAGE = { usual: 50, most: 1000 } as const;
/** A full service is worth another try after so long. */
const RETRY_SECONDS = 10;
/** Signals after which a command that hasn't started doesn't start any more. */
const ENDING: readonly SignalName[] = ['HUP', 'INT', 'QUIT', 'KILL', 'TERM', 'PIPE', 'USR1', 'USR2'];
const MAX_WAIT_MS = 10 * 60_000;

export interface SandboxCoreOptions {
  readonly store: Store;
  /** The launcher of the provider whose hosts are sandboxes; closed with the service. */
  readonly hosts: Hosts;
  readonly secrets: ServiceSecrets;
  readonly install: InstallEngine;
  readonly settings: SandboxSettings;
  readonly times?: Partial<SweepTimes>;
  /** Unix milliseconds. Default: the system's clock. */
  readonly now?: () => number;
}

interface Call {
  readonly signal?: AbortSignal;
}

/** The sandbox service over a store, the launcher and an engine in each host. */
export class SandboxCore implements SandboxService {
  private readonly store: Store;
  private readonly settings: SandboxSettings;
  private readonly secrets: ServiceSecrets;
  private readonly now: () => number;
  private readonly hosts: SessionHosts;
  private readonly changes = new Changes();
  private readonly usage: Usage;
  private readonly engines: Engines;
  private readonly lifecycle: Lifecycle;
  private readonly runner: Runner;
  private readonly keys: Keys;
  private readonly rates = new RateLimit();
  /** The sweeps; tests run them at a time of their own. */
  readonly sweeper: Sweeper;
  private closing: Promise<void> | undefined;

  constructor({ store, hosts, secrets, install, settings, times, now = Date.now }: SandboxCoreOptions) {
    const { changes } = this;
    // One process at a time has the file, and the next one goes on at once with what this one leaves.
    const holder = store.serviceId;
    this.store = store;
    this.settings = settings;
    this.secrets = secrets;
    this.now = now;
    this.hosts = new SessionHosts(hosts, store.serviceId, settings.startTimeoutSeconds);
    this.usage = new Usage(store, now);
    this.keys = new Keys(store, settings.secret, now);
    this.engines = new Engines(this.hosts, secrets, install);
    const { engines, usage } = this;
    this.lifecycle = new Lifecycle({
      ...{ store, hosts: this.hosts, engines, changes, now },
      endRunner: (generation) => this.runner.end(generation),
    });
    const { lifecycle } = this;
    this.runner = new Runner({
      ...{ store, engines, secrets, changes, usage, holder, now },
      resultBytes: settings.resultBytes,
      whenReady: (generation, signal) => lifecycle.whenReady(generation, signal),
      onUnreachable: (generation) => lifecycle.checkSoon(generation),
    });
    const { runner } = this;
    this.sweeper = new Sweeper({
      ...{ store, hosts: this.hosts, engines, lifecycle, runner, usage, holder, now },
      staleAfterSeconds: settings.staleAfterSeconds,
      retentionDays: settings.retentionDays,
      times: { ...SWEEP_TIMES, ...times },
    });
  }

  /** Goes on with what an earlier process has left, and starts the sweeps. */
  async start(): Promise<void> {
    const busy = new Set(await this.store.busyGenerations());
    for (const session of await this.store.openSessions()) {
      const { generation, status } = session;
      if (status === 'destroyed') {
        this.lifecycle.inBackground(this.lifecycle.stopHost(session));
        continue;
      }
      // The time without a service was nobody's: what waits or runs keeps its session.
      if (busy.has(generation)) await this.store.touch(generation, this.now());
      if (status === 'active' && !session.ready) {
        await this.store.touch(generation, this.now());
        this.lifecycle.start(session, false);
      }
    }
    for (const generation of busy) await this.runner.resume(generation);
    this.sweeper.start();
  }

  authenticate(secret: string): Promise<Caller | undefined> {
    return this.keys.authenticate(secret);
  }

  admit({ keyId }: Caller): void {
    const wait = this.rates.take(keyId, this.keys.rateOf(keyId) ?? this.settings.rate);
    if (wait === 0) return;
    throw new SandboxError('rate_limited', 'this key makes more calls a second than it may', {
      retryAfterSeconds: Math.max(1, Math.ceil(wait)),
    });
  }

  async create(
    caller: Caller,
    request: CreateSession,
    { signal, idempotencyKey }: Call & { readonly idempotencyKey?: string } = {},
  ): Promise<Session> {
    this.refuseIfClosing();
    const { settings } = this;
    const { ttlSeconds = settings.ttlSeconds, metadata = {}, wait = true } = request;
    const image = request.image ?? settings.image ?? null;
    if (request.id !== undefined) checkId(request.id);
    checkTtl(ttlSeconds, settings);
    checkMetadata(metadata);
    if (image !== null) checkImage(image);
    const size = sizeOf(request, settings);
    const at = this.now();
    const { tenant, keyId } = caller;
    const id = request.id ?? randomUUID();
    const generation = randomBytes(8).toString('hex');
    const { wait: _, ...asked } = request;
    const outcome = await this.store.createSession(
      {
        ...{ tenant, id, generation, keyId, ttlSeconds, image, metadata, ...size },
        hostName: hostNameOf(tenant, id, generation),
        createdAt: at,
        endsAt: at + settings.maxAgeSeconds * 1000,
      },
      { all: settings.maxSessions, ofKey: settings.maxSessionsOfKey },
      this.idempotency(caller, idempotencyKey, ['create', asked]),
    );
    switch (outcome.type) {
      case 'exists':
        throw new SandboxError('session_exists', `session ${JSON.stringify(id)} already exists`, { field: 'id' });
      case 'ceiling':
        throw new SandboxError('max_containers', `all ${settings.maxSessions} sessions of the service are in use`, {
          retryAfterSeconds: RETRY_SECONDS,
        });
      case 'quota':
        throw new SandboxError(
          'quota_exceeded',
          `this key already has ${settings.maxSessionsOfKey} sessions, its limit`,
          {
            retryAfterSeconds: RETRY_SECONDS,
          },
        );
      case 'idempotency-conflict':
        throw idempotencyConflict();
      case 'created':
        this.lifecycle.start(outcome.session, true);
        break;
      case 'repeated':
        break;
    }
    if (!wait) return sessionView(outcome.session);
    if (outcome.type === 'repeated' && outcome.session.status !== 'active' && outcome.session.endReason !== 'failed')
      return sessionView(outcome.session);
    const ready = this.lifecycle.whenReady(outcome.session.generation, signal);
    return sessionView(
      await ready.catch((error: unknown) => {
        throw isLauncherError(error) ? asUnavailable(error) : error;
      }),
    );
  }

  async get(caller: Caller, id: string): Promise<Session> {
    return sessionView(await this.find(caller, id));
  }

  async list(
    caller: Caller,
    filter: {
      readonly metadata?: Readonly<Record<string, string>>;
      readonly status?: readonly Session['status'][];
      readonly limit?: number;
      readonly cursor?: string;
    },
  ): Promise<Page<Session>> {
    const limit = Math.min(filter.limit ?? PAGE.usual, PAGE.most);
    const found = await this.store.sessions({
      tenant: caller.tenant,
      status: filter.status ?? ['active', 'stale'],
      metadata: filter.metadata,
      limit: limit + 1,
      after: orderOf(filter.cursor),
    });
    const items = found.slice(0, limit);
    return { items: items.map(sessionView), next: found.length > limit ? cursorOf(items.at(-1)?.order) : null };
  }

  async change(caller: Caller, id: string, change: ChangeSession): Promise<Session> {
    const session = await this.active(caller, id);
    if (change.ttlSeconds !== undefined) checkTtl(change.ttlSeconds, this.settings);
    if (change.metadata !== undefined) checkMetadata({ ...session.metadata, ...change.metadata });
    const { ttlSeconds, busySeconds, metadata } = change;
    const at = this.now();
    const busyUntil = busySeconds === undefined ? undefined : busySeconds === 0 ? null : at + busySeconds * 1000;
    const changed = await this.store.changeSession(session.generation, { ttlSeconds, busyUntil, metadata, at });
    if (changed === undefined) throw notFound(id);
    return sessionView(changed);
  }

  async destroy(caller: Caller, id: string): Promise<Session> {
    const session = await this.find(caller, id);
    const destroyed = await this.lifecycle.destroy(session.generation, ['active', 'stale'], 'deleted');
    if (destroyed === undefined) throw notFound(id);
    return sessionView(destroyed);
  }

  async diagnostics(caller: Caller, id: string): Promise<Diagnostics> {
    return diagnosticsOf(this.hosts, await this.find(caller, id));
  }

  async submit(
    caller: Caller,
    id: string,
    event: SubmitEvent,
    { idempotencyKey }: { readonly idempotencyKey?: string } = {},
  ): Promise<SandboxEvent> {
    this.refuseIfClosing();
    const request = commandRequestOf(event);
    const session = await this.active(caller, id);
    const { generation } = session;
    const { kind, payload } = event;
    const outcome = await this.store.submitEvent(
      generation,
      {
        ...{ kind, payload, queue: queueOf(event), submittedAt: this.now() },
        sealed: this.secrets.seal(sealContext(generation), request),
      },
      this.idempotency(caller, idempotencyKey, ['submit', generation, event]),
    );
    switch (outcome.type) {
      case 'inactive':
        throw notFound(id);
      case 'too-many':
        throw new SandboxError('quota_exceeded', 'too many commands of this session wait', {
          retryAfterSeconds: 1,
          suggestion: 'wait until some of them have ended',
        });
      case 'idempotency-conflict':
        throw idempotencyConflict();
      case 'submitted':
        this.runner.add(outcome.event);
        return eventView(outcome.event);
      case 'repeated':
        return eventView(outcome.event);
    }
  }

  async event(
    caller: Caller,
    id: string,
    seq: number,
    { waitMs = 0, signal }: Call & { readonly waitMs?: number } = {},
  ): Promise<SandboxEvent> {
    const { generation } = await this.find(caller, id);
    const until = performance.now() + Math.min(waitMs, MAX_WAIT_MS);
    for (;;) {
      const next = this.changes.next(generation, seq);
      const event = await this.store.event(generation, seq);
      const left = until - performance.now();
      if (event === undefined || hasEnded(event) || left <= 0 || signal?.aborted || this.closing !== undefined) {
        next.done();
        if (event === undefined) throw eventNotFound(id, seq);
        return eventView(event);
      }
      await this.changes.within(next, left, signal);
    }
  }

  async history(
    caller: Caller,
    id: string,
    page: { readonly limit: number; readonly afterSeq: number },
  ): Promise<{ readonly events: readonly SandboxEvent[]; readonly hasMore: boolean }> {
    const { generation } = await this.find(caller, id);
    const limit = Math.min(Math.max(1, page.limit), PAGE.most);
    const { events, hasMore } = await this.store.events(generation, { afterSeq: page.afterSeq, limit });
    return { events: events.map(eventView), hasMore };
  }

  async *output(
    caller: Caller,
    id: string,
    seq: number,
    options: Call & { readonly from?: number } = {},
  ): AsyncGenerator<OutputPiece> {
    const session = await this.find(caller, id);
    const { generation } = session;
    if ((await this.store.event(generation, seq)) === undefined) throw eventNotFound(id, seq);
    const release = session.status === 'active' ? this.usage.hold(session) : () => undefined;
    try {
      const { store, engines, changes, runner } = this;
      const handed = runner.handed.bind(runner);
      yield* outputOf({ store, engines, changes, handed }, session, seq, options);
    } finally {
      release();
    }
  }

  async stdin(
    caller: Caller,
    id: string,
    seq: number,
    data: Readable,
    { signal, close }: Call & { readonly close: boolean },
  ): Promise<void> {
    await this.started(caller, id, seq, signal);
    const send = (engine: EngineClient, command: string) => engine.stdin(command, data, { close, signal });
    await this.onCommand(caller, id, seq, send, signal);
  }

  async signal(caller: Caller, id: string, seq: number, name: SignalName): Promise<void> {
    const { generation } = await this.active(caller, id);
    const event = await this.store.event(generation, seq);
    if (event === undefined) throw eventNotFound(id, seq);
    if (hasEnded(event)) throw eventEnded(seq);
    if (event.status === 'pending') {
      if (!ENDING.includes(name)) throw new SandboxError('conflict', `event ${seq} has not started yet`);
      if (await this.takeBack(generation, seq, name)) return;
      // It has started meanwhile, or somebody else has ended it.
      await this.signal(caller, id, seq, name);
      return;
    }
    await this.onCommand(caller, id, seq, (engine, command) => engine.signal(command, name));
  }

  /** Ends an event that hasn't started. False if there is none. */
  private async takeBack(generation: string, seq: number, name: SignalName): Promise<boolean> {
    const ended = await this.store.endEvent(generation, seq, {
      status: 'error',
      at: this.now(),
      result: endedWithoutRun('signal', 'it was ended before it had started', name),
      log: Buffer.alloc(0),
      pendingOnly: true,
    });
    if (ended) this.changes.tell(generation, seq);
    return ended;
  }

  async resize(
    caller: Caller,
    id: string,
    seq: number,
    size: { readonly cols: number; readonly rows: number },
  ): Promise<void> {
    await this.started(caller, id, seq);
    await this.onCommand(caller, id, seq, (engine, command) => engine.resize(command, size));
  }

  async endShell(caller: Caller, id: string, shell: string): Promise<void> {
    await this.use(caller, id, (engine) => engine.endShell(shell));
  }

  async use<T>(
    caller: Caller,
    id: string,
    work: (engine: EngineClient) => Promise<T>,
    { signal }: Call = {},
  ): Promise<T> {
    return this.inUse(caller, id, signal, async (session) => work(await this.engines.get(session)));
  }

  async connectPort(caller: Caller, id: string, port: number, { signal }: Call = {}): Promise<Duplex> {
    const session = await this.active(caller, id);
    const release = this.usage.hold(session);
    try {
      const stream = await this.inUse(caller, id, signal, async (ready) => {
        const channel = await this.engines.channel(ready);
        return channel.forward('127.0.0.1', port, { signal }).catch((error: Error) => {
          const detail = `port ${port} of the sandbox does not accept connections`;
          throw new SandboxError('port_unreachable', detail, { cause: error });
        });
      });
      stream.once('close', release);
      return stream;
    } catch (error) {
      release();
      throw error;
    }
  }

  createKey(request: KeyRequest): Promise<{ readonly key: Key; readonly secret: string }> {
    return this.keys.create(request);
  }

  listKeys(): Promise<readonly Key[]> {
    return this.keys.list();
  }

  revokeKey(name: string): Promise<Key> {
    return this.keys.revoke(name);
  }

  sign(text: string): string {
    return this.secrets.sign(text);
  }

  verify(text: string, signature: string): boolean {
    return this.secrets.verify(text, signature);
  }

  audit(entry: AuditEntry): void {
    void this.store.audit(entry).catch((error: Error) => console.error(`the audit trail: ${error.message}`));
  }

  async auditTrail(
    { tenant }: Caller,
    page: { readonly limit: number; readonly cursor?: string },
  ): Promise<Page<AuditEntry>> {
    const limit = Math.min(Math.max(1, page.limit), PAGE.most);
    const found = await this.store.auditTrail(tenant, { limit: limit + 1, before: orderOf(page.cursor) });
    const items = found.slice(0, limit);
    const next = found.length > limit ? cursorOf(items.at(-1)?.order) : null;
    return { items: items.map(({ order: _, ...entry }) => entry), next };
  }

  /** Destroys every session with its host. */
  async destroyAll(): Promise<void> {
    const sessions = await this.store.openSessions();
    await mapBounded(sessions, 20, ({ generation }) =>
      this.lifecycle.destroy(generation, ['active', 'stale'], 'deleted').then(() => undefined),
    );
  }

  close(): Promise<void> {
    this.closing ??= this.shutDown();
    return this.closing;
  }

  private async shutDown(): Promise<void> {
    await this.sweeper.close();
    await this.runner.close();
    await this.lifecycle.close();
    await this.engines.close();
    try {
      await this.hosts.close();
    } finally {
      await this.store.close();
    }
  }

  private refuseIfClosing(): void {
    if (this.closing !== undefined)
      throw new SandboxError('shutting_down', 'the service is shutting down', { retryAfterSeconds: 2 });
  }

  /** The newest session with the id, whatever its state. */
  private async find({ tenant }: Caller, id: string): Promise<StoredSession> {
    const session = await this.store.session(tenant, id);
    if (session === undefined) throw notFound(id);
    return session;
  }

  private async active(caller: Caller, id: string): Promise<StoredSession> {
    const session = await this.find(caller, id);
    if (session.status !== 'active') throw notFound(id, session);
    return session;
  }

  /** Runs the work while the session is in use, once it is ready. */
  private async inUse<T>(
    caller: Caller,
    id: string,
    signal: AbortSignal | undefined,
    work: (session: StoredSession) => Promise<T>,
  ): Promise<T> {
    this.refuseIfClosing();
    const { generation, ...session } = await this.active(caller, id);
    const release = this.usage.hold({ generation, ttlSeconds: session.ttlSeconds });
    try {
      await this.store.touch(generation, this.now());
      return await work(await this.lifecycle.whenReady(generation, signal));
    } catch (error) {
      if (isSandboxError(error) && error.code !== 'session_unavailable') throw error;
      const problem = isSandboxError(error) || isLauncherError(error) ? asUnavailable(error) : error;
      if (isSandboxError(problem)) this.lifecycle.checkSoon(generation);
      throw problem;
    } finally {
      release();
      await this.store.touch(generation, this.now());
    }
  }

  /** Waits until the event has been handed to the engine. */
  private async started(caller: Caller, id: string, seq: number, signal?: AbortSignal): Promise<void> {
    const { generation } = await this.active(caller, id);
    for (;;) {
      const next = this.changes.next(generation, seq);
      const event = await this.store.event(generation, seq);
      if (event?.status === 'pending' && !signal?.aborted) {
        await this.changes.within(next, MAX_WAIT_MS, signal);
        continue;
      }
      next.done();
      if (event === undefined) throw eventNotFound(id, seq);
      if (hasEnded(event)) throw eventEnded(seq);
      return;
    }
  }

  /** Work on a command that has started, once the engine knows it. */
  private async onCommand(
    caller: Caller,
    id: string,
    seq: number,
    work: (engine: EngineClient, command: string) => Promise<void>,
    signal?: AbortSignal,
  ): Promise<void> {
    await this.inUse(caller, id, signal, async (session) => {
      const { generation } = session;
      const engine = await this.engines.get(session);
      await this.runner.handed(generation, seq, signal);
      try {
        await work(engine, commandId(generation, seq));
      } catch (error) {
        if (!isSandboxError(error) || error.code !== 'event_not_found') throw error;
        const event = await this.store.event(generation, seq);
        if (event !== undefined && !hasEnded(event))
          throw new SandboxError('conflict', `event ${seq} is just being started`, { cause: error });
        throw eventEnded(seq);
      }
    });
  }

  private idempotency(caller: Caller, key: string | undefined, request: unknown): Idempotency | undefined {
    if (key === undefined) return undefined;
    checkIdempotencyKey(key);
    const { tenant, keyId } = caller;
    const digest = digestOf(this.secrets.sign(`idempotency ${tenant} ${key}`), request);
    return { tenant, key: `${keyId} ${key}`, digest, at: this.now() };
  }
}

const isLauncherError = (error: unknown): boolean => error instanceof Error && error.name === 'MngrFargateError';

function notFound(id: string, session?: StoredSession): SandboxError {
  const state = session === undefined ? '' : ` (it is ${session.status})`;
  return new SandboxError('session_not_found', `there is no active session ${JSON.stringify(id)}${state}`);
}

const eventNotFound = (id: string, seq: number): SandboxError =>
  new SandboxError('event_not_found', `session ${JSON.stringify(id)} has no event ${seq}`);

const eventEnded = (seq: number): SandboxError => new SandboxError('event_ended', `event ${seq} has ended`);

const idempotencyConflict = (): SandboxError =>
  new SandboxError('idempotency_conflict', 'this Idempotency-Key was used for another request');

const cursorOf = (order: number | undefined): string => Buffer.from(String(order ?? 0)).toString('base64url');

function orderOf(cursor: string | undefined): number | undefined {
  if (cursor === undefined) return undefined;
  const order = Number(Buffer.from(cursor, 'base64url').toString('latin1'));
  if (Number.isSafeInteger(order) && order > 0) return order;
  throw new SandboxError('bad_request', 'the cursor is not one that this service gave', {
    field: 'cursor',
    suggestion: 'start without a cursor',
  });
}
