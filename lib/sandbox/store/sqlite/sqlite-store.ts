import type { Database, Statement } from 'better-sqlite3';
import { MngrFargateError } from '../../../contract/errors';
import type { AuditEntry } from '../../model/types';
import type {
  CreateOutcome,
  EventEnd,
  HostChange,
  Idempotency,
  KeptByEngine,
  NewEvent,
  NewSession,
  SessionChange,
  SessionFilter,
  SessionMove,
  Store,
  StoredEvent,
  StoredKey,
  StoredSession,
  SubmitOutcome,
} from '../store';
import { Flush } from './flush';
import { openDatabase } from './open';
import type { SqliteOptions } from './open';
import { eventOf, keyOf, SELECT_EVENT, sessionOf } from './rows';
import type { EventRow, KeyRow, SessionRow } from './rows';

/** Open events that one session may have. */
const MAX_OPEN_EVENTS = 10_000;
/** A page of events ends early once it has this much output. */
const PAGE_BYTES = 16 * 1024 * 1024;
const IN_ENGINE = { same: 1, more: 2 } as const;
const DAY_MS = 24 * 60 * 60 * 1000;

/** The store in one SQLite file, for one process. */
export class SqliteStore implements Store {
  readonly serviceId: string;
  private readonly statements = new Map<string, Statement>();

  private constructor(
    private readonly database: Database,
    /** Of a WAL: what is answered for is flushed after its transaction. */
    private readonly flush: Flush | undefined,
  ) {
    this.serviceId = (this.get('SELECT id FROM service') as { id: string }).id;
    // In a WAL, NORMAL never damages the file; a power cut can only undo the last changes. A rollback journal needs FULL to be
    // safe at all.
    database.pragma(`synchronous = ${flush === undefined ? 'FULL' : 'NORMAL'}`);
  }

  /** Throws MngrFargateError `failed`: in use by another process, damaged, of a newer version, no better-sqlite3. */
  static async open(options: SqliteOptions): Promise<SqliteStore> {
    const database = await openDatabase(options);
    return new SqliteStore(database, options.journal === 'rollback' ? undefined : new Flush(`${database.name}-wal`));
  }

  async createSession(
    session: NewSession,
    limits: { readonly all: number; readonly ofKey: number },
    idempotency?: Idempotency,
  ): Promise<CreateOutcome> {
    return this.durably((): CreateOutcome => {
      const earlier = this.repeated(idempotency);
      if (earlier === 'conflict') return { type: 'idempotency-conflict' };
      const known = earlier === undefined ? undefined : this.byGeneration(earlier.generation);
      if (known !== undefined) return { type: 'repeated', session: known };
      const living = this.get(
        `SELECT * FROM sessions WHERE tenant = ? AND id = ? AND status <> 'destroyed'`,
        session.tenant,
        session.id,
      ) as SessionRow | undefined;
      if (living !== undefined) return { type: 'exists', session: sessionOf(living) };
      const { all, own } = this.get(
        'SELECT count(*) AS "all", count(*) FILTER (WHERE key_id = ?) AS own FROM sessions WHERE host_gone = 0',
        session.keyId,
      ) as { all: number; own: number };
      if (all >= limits.all) return { type: 'ceiling' };
      if (own >= limits.ofKey) return { type: 'quota' };
      this.run(
        `INSERT INTO sessions (generation, tenant, id, key_id, host_name, created_at, last_active_at, expires_at, ends_at,
           ttl_seconds, image, cpu, memory, metadata, stages)
         VALUES (@generation, @tenant, @id, @keyId, @hostName, @createdAt, @createdAt, @expiresAt, @endsAt,
           @ttlSeconds, @image, @cpu, @memory, @metadata, @stages)`,
        {
          ...session,
          expiresAt: expiryOf(session.createdAt, session.ttlSeconds),
          metadata: JSON.stringify(session.metadata),
          stages: JSON.stringify({ requested: session.createdAt }),
        },
      );
      this.remember(idempotency, session.generation, null);
      return { type: 'created', session: this.byGeneration(session.generation) as StoredSession };
    });
  }

  async session(tenant: string, id: string): Promise<StoredSession | undefined> {
    const row = this.get('SELECT * FROM sessions WHERE tenant = ? AND id = ? ORDER BY ord DESC LIMIT 1', tenant, id);
    return row === undefined ? undefined : sessionOf(row as SessionRow);
  }

  async generation(generation: string): Promise<StoredSession | undefined> {
    return this.byGeneration(generation);
  }

  async sessions({ tenant, status, metadata = {}, limit, after }: SessionFilter): Promise<readonly StoredSession[]> {
    const conditions = [
      'ord = (SELECT max(other.ord) FROM sessions other WHERE other.tenant = sessions.tenant AND other.id = sessions.id)',
    ];
    const values: unknown[] = [];
    const add = (condition: string, ...given: unknown[]): void => {
      conditions.push(condition);
      values.push(...given);
    };
    if (tenant !== undefined) add('tenant = ?', tenant);
    if (status !== undefined) add('status IN (SELECT value FROM json_each(?))', JSON.stringify(status));
    if (after !== undefined) add('ord < ?', after);
    for (const [key, value] of Object.entries(metadata)) {
      add(
        `EXISTS (SELECT 1 FROM json_each(metadata) m WHERE m.key = ? AND
           CASE m.type WHEN 'true' THEN 'true' WHEN 'false' THEN 'false' ELSE CAST(m.atom AS TEXT) END = ?)`,
        key,
        value,
      );
    }
    const sql = `SELECT * FROM sessions WHERE ${conditions.join(' AND ')} ORDER BY ord DESC LIMIT ?`;
    return (this.database.prepare(sql).all(...values, limit) as SessionRow[]).map(sessionOf);
  }

  async openSessions(): Promise<readonly StoredSession[]> {
    const rows = this.all(
      `SELECT * FROM sessions WHERE status <> 'destroyed' UNION SELECT * FROM sessions WHERE host_gone = 0 ORDER BY ord`,
    );
    return (rows as SessionRow[]).map(sessionOf);
  }

  async touch(generation: string, at: number): Promise<boolean> {
    return this.changed(
      `UPDATE sessions SET last_active_at = max(last_active_at, @at),
         expires_at = max(expires_at, CAST(@at + ttl_seconds * 1000 AS INTEGER))
       WHERE generation = @generation AND status = 'active'`,
      { generation, at },
    );
  }

  async changeSession(
    generation: string,
    { ttlSeconds, busyUntil, metadata, at }: SessionChange,
  ): Promise<StoredSession | undefined> {
    return this.durably(() => {
      const session = this.byGeneration(generation);
      if (session?.status !== 'active') return undefined;
      const merged = Object.fromEntries(
        Object.entries({ ...session.metadata, ...metadata }).filter(([, value]) => value !== null),
      );
      const ttl = ttlSeconds ?? session.ttlSeconds;
      this.run(
        `UPDATE sessions SET ttl_seconds = @ttl, busy_until = @busyUntil, metadata = @metadata, last_active_at = @at,
           expires_at = @expiresAt
         WHERE generation = @generation`,
        {
          ...{ generation, ttl, at, expiresAt: expiryOf(at, ttl), metadata: JSON.stringify(merged) },
          busyUntil: busyUntil === undefined ? session.busyUntil : busyUntil,
        },
      );
      return this.byGeneration(generation);
    });
  }

  async recordHost(generation: string, host: HostChange): Promise<void> {
    this.run(
      `UPDATE sessions SET ready = coalesce(@ready, ready), task_arn = coalesce(@taskArn, task_arn),
         host_gone = coalesce(@hostGone, host_gone), problem = coalesce(@problem, problem),
         stages = json_patch(stages, @stages), stop = coalesce(@stop, stop), cost_usd = coalesce(@costUsd, cost_usd)
       WHERE generation = @generation`,
      {
        generation,
        ready: flag(host.ready),
        taskArn: host.taskArn ?? null,
        hostGone: flag(host.hostGone),
        problem: host.problem ?? null,
        stages: JSON.stringify(host.stages ?? {}),
        stop: host.stop === undefined ? null : JSON.stringify(host.stop),
        costUsd: host.costUsd ?? null,
      },
    );
  }

  async moveSession(
    generation: string,
    { from, to, at, endReason, problem, expiredAt }: SessionMove,
  ): Promise<StoredSession | undefined> {
    return this.durably(() => {
      const moved = this.changed(
        `UPDATE sessions SET status = @to, end_reason = coalesce(@endReason, end_reason),
           problem = coalesce(@problem, problem),
           stale_at = CASE @to WHEN 'stale' THEN @at ELSE stale_at END,
           destroyed_at = CASE @to WHEN 'destroyed' THEN @at ELSE destroyed_at END,
           ready = CASE @to WHEN 'destroyed' THEN 0 ELSE ready END
         WHERE generation = @generation AND status IN (SELECT value FROM json_each(@from))
           AND (@expiredAt IS NULL OR ends_at <= @expiredAt
             OR expires_at <= @expiredAt AND coalesce(busy_until, 0) <= @expiredAt)`,
        {
          ...{ generation, to, at, from: JSON.stringify(from) },
          ...{ endReason: endReason ?? null, problem: problem ?? null, expiredAt: expiredAt ?? null },
        },
      );
      return moved ? this.byGeneration(generation) : undefined;
    });
  }

  async submitEvent(generation: string, event: NewEvent, idempotency?: Idempotency): Promise<SubmitOutcome> {
    return this.durably((): SubmitOutcome => {
      const earlier = this.repeated(idempotency);
      if (earlier === 'conflict') return { type: 'idempotency-conflict' };
      if (earlier !== undefined) {
        const known = earlier.seq === null ? undefined : this.bySeq(earlier.generation, earlier.seq);
        if (earlier.generation !== generation) return { type: 'idempotency-conflict' };
        if (known !== undefined) return { type: 'repeated', event: known };
      }
      const { open } = this.get(
        `SELECT count(*) AS open FROM events WHERE generation = ? AND status IN ('pending', 'running')`,
        generation,
      ) as { open: number };
      if (open >= MAX_OPEN_EVENTS) return { type: 'too-many' };
      const numbered = this.get(
        `UPDATE sessions SET next_seq = next_seq + 1, last_active_at = max(last_active_at, @at),
           expires_at = max(expires_at, CAST(@at + ttl_seconds * 1000 AS INTEGER))
         WHERE generation = @generation AND status = 'active' RETURNING next_seq - 1 AS seq`,
        { generation, at: event.submittedAt },
      ) as { seq: number } | undefined;
      if (numbered === undefined) return { type: 'inactive' };
      const { seq } = numbered;
      this.run(
        `INSERT INTO events (generation, seq, kind, payload, queue, sealed, submitted_at)
         VALUES (@generation, @seq, @kind, @payload, @queue, @sealed, @submittedAt)`,
        { ...event, generation, seq, payload: JSON.stringify(event.payload) },
      );
      this.remember(idempotency, generation, seq);
      return { type: 'submitted', event: this.bySeq(generation, seq) as StoredEvent };
    });
  }

  async event(generation: string, seq: number): Promise<StoredEvent | undefined> {
    return this.bySeq(generation, seq);
  }

  async events(
    generation: string,
    { afterSeq, limit }: { readonly afterSeq: number; readonly limit: number },
  ): Promise<{ readonly events: readonly StoredEvent[]; readonly hasMore: boolean }> {
    const sizes = this.all(
      `SELECT e.seq, coalesce(o.bytes, 0) AS bytes FROM events e LEFT JOIN outputs o ON o.event = e.id
       WHERE e.generation = ? AND e.seq > ? ORDER BY e.seq LIMIT ?`,
      generation,
      afterSeq,
      limit + 1,
    ) as { seq: number; bytes: number }[];
    const taken: number[] = [];
    let total = 0;
    for (const { seq, bytes } of sizes.slice(0, limit)) {
      if (taken.length > 0 && total + bytes > PAGE_BYTES) break;
      taken.push(seq);
      total += bytes;
    }
    const events = taken.map((seq) => this.bySeq(generation, seq) as StoredEvent);
    return { events, hasMore: sizes.length > taken.length };
  }

  async openEvents(generation: string): Promise<readonly StoredEvent[]> {
    const rows = this.all(
      `${SELECT_EVENT} WHERE e.generation = ? AND e.status IN ('pending', 'running') ORDER BY e.seq`,
      generation,
    );
    return (rows as EventRow[]).map(eventOf);
  }

  async busyGenerations(): Promise<readonly string[]> {
    const rows = this.all(`SELECT DISTINCT generation FROM events WHERE status IN ('pending', 'running')`);
    return (rows as { generation: string }[]).map(({ generation }) => generation);
  }

  async startEvent(generation: string, seq: number, at: number): Promise<boolean> {
    return this.changed(
      `UPDATE events SET status = 'running', started_at = ? WHERE generation = ? AND seq = ? AND status = 'pending'`,
      at,
      generation,
      seq,
    );
  }

  async endEvent(generation: string, seq: number, end: EventEnd): Promise<boolean> {
    try {
      return this.database.transaction(() => this.end(generation, seq, end))();
    } catch (error) {
      throw storeProblem(error);
    }
  }

  async endOpenEvents(generation: string, end: Omit<EventEnd, 'log'>): Promise<readonly number[]> {
    return this.durably(() => {
      const rows = this.all(
        `SELECT seq FROM events WHERE generation = ? AND status IN ('pending', 'running') ORDER BY seq`,
        generation,
      ) as { seq: number }[];
      return rows.map(({ seq }) => seq).filter((seq) => this.end(generation, seq, { ...end, log: Buffer.alloc(0) }));
    });
  }

  async outputLog(generation: string, seq: number): Promise<Buffer | undefined> {
    const row = this.get(
      `SELECT o.log FROM events e JOIN outputs o ON o.event = e.id WHERE e.generation = ? AND e.seq = ?`,
      generation,
      seq,
    );
    return (row as { log: Buffer } | undefined)?.log;
  }

  async keptByEngine(generation: string): Promise<readonly KeptByEngine[]> {
    const rows = this.all(
      'SELECT seq, completed_at, in_engine FROM events WHERE generation = ? AND in_engine > 0 ORDER BY seq',
      generation,
    ) as { seq: number; completed_at: number; in_engine: number }[];
    return rows.map((row) => ({
      seq: row.seq,
      endedAt: row.completed_at,
      has: row.in_engine === IN_ENGINE.more ? 'more' : 'same',
    }));
  }

  async forgottenByEngine(generation: string, seqs: readonly number[]): Promise<void> {
    await this.durably(() =>
      this.run(
        'UPDATE events SET in_engine = 0 WHERE generation = ? AND seq IN (SELECT value FROM json_each(?))',
        generation,
        JSON.stringify(seqs),
      ),
    );
  }

  async takeLease(name: string, holder: string, now: number, untilMs: number): Promise<boolean> {
    return this.changed(
      `INSERT INTO leases VALUES (@name, @holder, @until) ON CONFLICT (name) DO UPDATE
         SET holder = excluded.holder, until = excluded.until WHERE leases.holder = excluded.holder OR leases.until <= @now`,
      { name, holder, until: untilMs, now },
    );
  }

  async releaseLease(name: string, holder: string): Promise<void> {
    this.run('DELETE FROM leases WHERE name = ? AND holder = ?', name, holder);
  }

  async putKey(key: StoredKey): Promise<boolean> {
    return this.durably(() =>
      this.changed(
        `INSERT INTO keys VALUES (@id, @name, @tenant, @admin, @rate, @hash, @createdAt, @lastUsedAt, @revokedAt)
         ON CONFLICT DO NOTHING`,
        { ...key, admin: flag(key.admin) },
      ),
    );
  }

  async keys(): Promise<readonly StoredKey[]> {
    return (this.all('SELECT * FROM keys ORDER BY created_at, id') as KeyRow[]).map(keyOf);
  }

  async revokeKey(nameOrId: string, at: number): Promise<StoredKey | undefined> {
    return this.durably(() => {
      const row = this.get(
        'UPDATE keys SET revoked_at = ? WHERE revoked_at IS NULL AND (name = ? OR id = ?) RETURNING *',
        at,
        nameOrId,
        nameOrId,
      );
      return row === undefined ? undefined : keyOf(row as KeyRow);
    });
  }

  async useKey(id: string, at: number): Promise<void> {
    this.run('UPDATE keys SET last_used_at = ? WHERE id = ?', at, id);
  }

  async audit(entry: AuditEntry): Promise<void> {
    this.run(
      `INSERT INTO audit (at, tenant, key_id, action, session_id, status, request_id)
       VALUES (@at, @tenant, @keyId, @action, @sessionId, @status, @requestId)`,
      { ...entry },
    );
  }

  async auditTrail(
    tenant: string,
    { limit, before }: { readonly limit: number; readonly before?: number },
  ): Promise<readonly (AuditEntry & { readonly order: number })[]> {
    return this.all(
      `SELECT ord AS "order", at, tenant, key_id AS keyId, action, session_id AS sessionId, status, request_id AS requestId
       FROM audit WHERE tenant = ? AND ord < ? ORDER BY ord DESC LIMIT ?`,
      tenant,
      before ?? Number.MAX_SAFE_INTEGER,
      limit,
    ) as (AuditEntry & { order: number })[];
  }

  async prune(before: {
    readonly destroyed: number;
    readonly audit: number;
    readonly idempotency: number;
  }): Promise<{ readonly sessions: number }> {
    return this.database.transaction(() => {
      const { changes: sessions } = this.run(
        `DELETE FROM sessions WHERE status = 'destroyed' AND host_gone = 1 AND destroyed_at < ?`,
        before.destroyed,
      );
      this.run('DELETE FROM audit WHERE at < ?', before.audit);
      this.run('DELETE FROM idempotency WHERE at < ?', before.idempotency);
      return { sessions };
    })();
  }

  async close(): Promise<void> {
    if (!this.database.open) return;
    await this.flush?.close();
    this.database.close();
  }

  private end(generation: string, seq: number, end: EventEnd): boolean {
    const row = this.get(
      `UPDATE events SET status = @status, result = @result, completed_at = @at, sealed = NULL,
         started_at = coalesce(@startedAt, started_at), in_engine = @inEngine
       WHERE generation = @generation AND seq = @seq AND (status = 'pending' OR status = @other) RETURNING id`,
      {
        ...{ generation, seq, status: end.status, at: end.at, startedAt: end.startedAt ?? null },
        other: end.pendingOnly === true ? 'pending' : 'running',
        ...{ result: JSON.stringify(end.result), inEngine: end.inEngine === undefined ? 0 : IN_ENGINE[end.inEngine] },
      },
    ) as { id: number } | undefined;
    if (row === undefined) return false;
    if (end.log.length > 0) this.run('INSERT INTO outputs VALUES (?, ?, ?)', row.id, end.log.length, end.log);
    return true;
  }

  private byGeneration(generation: string): StoredSession | undefined {
    const row = this.get('SELECT * FROM sessions WHERE generation = ?', generation);
    return row === undefined ? undefined : sessionOf(row as SessionRow);
  }

  private bySeq(generation: string, seq: number): StoredEvent | undefined {
    const row = this.get(`${SELECT_EVENT} WHERE e.generation = ? AND e.seq = ?`, generation, seq);
    return row === undefined ? undefined : eventOf(row as EventRow);
  }

  /** What an idempotency key stands for; keys are forgotten after a day. */
  private repeated(
    given: Idempotency | undefined,
  ): { readonly generation: string; readonly seq: number | null } | 'conflict' | undefined {
    if (given === undefined) return undefined;
    const row = this.get(
      'SELECT digest, generation, seq FROM idempotency WHERE tenant = ? AND key = ? AND at > ?',
      given.tenant,
      given.key,
      given.at - DAY_MS,
    ) as { digest: string; generation: string; seq: number | null } | undefined;
    if (row === undefined) return undefined;
    return row.digest === given.digest ? row : 'conflict';
  }

  private remember(given: Idempotency | undefined, generation: string, seq: number | null): void {
    if (given === undefined) return;
    const { tenant, key, digest, at } = given;
    this.run(
      'INSERT OR REPLACE INTO idempotency VALUES (?, ?, ?, ?, ?, ?)',
      ...[tenant, key, digest, at, generation, seq],
    );
  }

  /** One transaction that a power cut can't undo once this resolves. Its numbers are those of the order of the calls. */
  private async durably<T>(work: () => T): Promise<T> {
    try {
      if (this.flush === undefined) return this.extra(work);
      const result = this.database.transaction(work).immediate();
      await this.flush.all();
      return result;
    } catch (error) {
      throw storeProblem(error);
    }
  }

  /** A rollback journal needs EXTRA for its last change to last. */
  private extra<T>(work: () => T): T {
    this.database.pragma('synchronous = EXTRA');
    try {
      return this.database.transaction(work).immediate();
    } finally {
      this.database.pragma('synchronous = FULL');
    }
  }

  private changed(sql: string, ...values: unknown[]): boolean {
    return this.run(sql, ...values).changes > 0;
  }

  private run(sql: string, ...values: unknown[]) {
    return this.statement(sql).run(...values);
  }

  private get(sql: string, ...values: unknown[]): unknown {
    return this.statement(sql).get(...values);
  }

  private all(sql: string, ...values: unknown[]): unknown[] {
    return this.statement(sql).all(...values);
  }

  private statement(sql: string): Statement {
    let statement = this.statements.get(sql);
    if (statement === undefined) {
      statement = this.database.prepare(sql);
      this.statements.set(sql, statement);
    }
    return statement;
  }
}

const expiryOf = (at: number, ttlSeconds: number): number => Math.floor(at + ttlSeconds * 1000);

const flag = (value: boolean | undefined): number | null => (value === undefined ? null : value ? 1 : 0);

/** A full disk is something that an operator can do something about. */
function storeProblem(error: unknown): unknown {
  const { code = '', message } = error as Error & { code?: string };
  if (!['SQLITE_FULL', 'ENOSPC', 'EIO'].includes(code) && !code.startsWith('SQLITE_IOERR')) return error;
  return new MngrFargateError('failed', `the sandbox service's database can't be written: ${message}`, {
    cause: error,
    hint: 'free space on the disk of DB_PATH',
  });
}
