/** Each brings the tables from one version to the next; `user_version` says how many are done. Never change one that was released. */
export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE service (id TEXT NOT NULL) STRICT;
  INSERT INTO service VALUES (lower(hex(randomblob(16))));

  CREATE TABLE sessions (
    ord INTEGER PRIMARY KEY AUTOINCREMENT,
    generation TEXT NOT NULL UNIQUE,
    tenant TEXT NOT NULL,
    id TEXT NOT NULL,
    key_id TEXT NOT NULL,
    host_name TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'active',
    ready INTEGER NOT NULL DEFAULT 0,
    created_at INTEGER NOT NULL,
    last_active_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    ends_at INTEGER NOT NULL,
    ttl_seconds REAL NOT NULL,
    image TEXT,
    cpu INTEGER NOT NULL,
    memory INTEGER NOT NULL,
    metadata TEXT NOT NULL,
    stale_at INTEGER,
    destroyed_at INTEGER,
    end_reason TEXT,
    task_arn TEXT,
    host_gone INTEGER NOT NULL DEFAULT 0,
    problem TEXT,
    stages TEXT NOT NULL DEFAULT '{}',
    stop TEXT,
    cost_usd REAL,
    next_seq INTEGER NOT NULL DEFAULT 1
  ) STRICT;
  CREATE UNIQUE INDEX one_living_session ON sessions (tenant, id) WHERE status <> 'destroyed';
  CREATE INDEX sessions_of_id ON sessions (tenant, id, ord);
  CREATE INDEX open_sessions ON sessions (key_id) WHERE host_gone = 0;
  CREATE INDEX living_sessions ON sessions (ord) WHERE status <> 'destroyed';

  CREATE TABLE events (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    generation TEXT NOT NULL REFERENCES sessions (generation) ON DELETE CASCADE,
    seq INTEGER NOT NULL,
    kind TEXT NOT NULL,
    status TEXT NOT NULL DEFAULT 'pending',
    payload TEXT NOT NULL,
    queue TEXT,
    sealed BLOB,
    result TEXT,
    submitted_at INTEGER NOT NULL,
    started_at INTEGER,
    completed_at INTEGER,
    in_engine INTEGER NOT NULL DEFAULT 0,
    UNIQUE (generation, seq)
  ) STRICT;
  CREATE INDEX open_events ON events (generation, seq) WHERE status IN ('pending', 'running');
  CREATE INDEX engine_events ON events (generation, seq) WHERE in_engine > 0;

  CREATE TABLE outputs (
    event INTEGER PRIMARY KEY REFERENCES events (id) ON DELETE CASCADE,
    bytes INTEGER NOT NULL,
    log BLOB NOT NULL
  ) STRICT;

  CREATE TABLE idempotency (
    tenant TEXT NOT NULL,
    key TEXT NOT NULL,
    digest TEXT NOT NULL,
    at INTEGER NOT NULL,
    generation TEXT NOT NULL,
    seq INTEGER,
    PRIMARY KEY (tenant, key)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX idempotency_at ON idempotency (at);

  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    tenant TEXT NOT NULL,
    admin INTEGER NOT NULL,
    rate REAL,
    hash BLOB NOT NULL,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER,
    revoked_at INTEGER
  ) STRICT;
  CREATE UNIQUE INDEX one_key_a_name ON keys (name) WHERE revoked_at IS NULL;

  CREATE TABLE leases (
    name TEXT PRIMARY KEY,
    holder TEXT NOT NULL,
    until INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE audit (
    ord INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    tenant TEXT NOT NULL,
    key_id TEXT NOT NULL,
    action TEXT NOT NULL,
    session_id TEXT,
    status INTEGER NOT NULL,
    request_id TEXT NOT NULL
  ) STRICT;
  CREATE INDEX audit_of_tenant ON audit (tenant, ord);
  CREATE INDEX audit_at ON audit (at);
  `,
  'ALTER TABLE sessions ADD COLUMN busy_until INTEGER',
];
