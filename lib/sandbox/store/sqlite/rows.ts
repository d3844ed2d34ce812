import type { EndReason, EventKind, EventResult, EventStatus, SessionStatus } from '../../model/types';
import { streamsOf } from '../frames';
import type { StoredEvent, StoredKey, StoredSession } from '../store';

export interface SessionRow {
  ord: number;
  generation: string;
  tenant: string;
  id: string;
  key_id: string;
  host_name: string;
  status: string;
  ready: number;
  created_at: number;
  last_active_at: number;
  expires_at: number;
  busy_until: number | null;
  ends_at: number;
  ttl_seconds: number;
  image: string | null;
  cpu: number;
  memory: number;
  metadata: string;
  stale_at: number | null;
  destroyed_at: number | null;
  end_reason: string | null;
  task_arn: string | null;
  host_gone: number;
  problem: string | null;
  stages: string;
  stop: string | null;
  cost_usd: number | null;
}

export const sessionOf = (row: SessionRow): StoredSession => ({
  order: row.ord,
  tenant: row.tenant,
  id: row.id,
  generation: row.generation,
  keyId: row.key_id,
  hostName: row.host_name,
  status: row.status as SessionStatus,
  ready: row.ready === 1,
  createdAt: row.created_at,
  lastActiveAt: row.last_active_at,
  expiresAt: row.expires_at,
  busyUntil: row.busy_until,
  endsAt: row.ends_at,
  ttlSeconds: row.ttl_seconds,
  image: row.image,
  cpu: row.cpu,
  memory: row.memory,
  metadata: JSON.parse(row.metadata) as StoredSession['metadata'],
  staleAt: row.stale_at,
  destroyedAt: row.destroyed_at,
  endReason: row.end_reason as EndReason | null,
  taskArn: row.task_arn,
  hostGone: row.host_gone === 1,
  problem: row.problem,
  stages: JSON.parse(row.stages) as StoredSession['stages'],
  stop: row.stop === null ? null : (JSON.parse(row.stop) as StoredSession['stop']),
  costUsd: row.cost_usd,
});

export interface EventRow {
  id: number;
  generation: string;
  session_id: string;
  seq: number;
  kind: string;
  status: string;
  payload: string;
  queue: string | null;
  sealed: Buffer | null;
  result: string | null;
  log: Buffer | null;
  submitted_at: number;
  started_at: number | null;
  completed_at: number | null;
}

/** Columns of an EventRow, with and without what may be large. */
const COLUMNS =
  'e.id, e.generation, s.id AS session_id, e.seq, e.kind, e.status, e.payload, e.queue, e.submitted_at, e.started_at, e.completed_at';
export const SELECT_EVENT = `SELECT ${COLUMNS}, e.sealed, e.result, o.log FROM events e JOIN sessions s USING (generation) LEFT JOIN outputs o ON o.event = e.id`;

export const eventOf = (row: EventRow): StoredEvent => ({
  id: row.id,
  generation: row.generation,
  sessionId: row.session_id,
  seq: row.seq,
  kind: row.kind as EventKind,
  status: row.status as EventStatus,
  payload: JSON.parse(row.payload) as StoredEvent['payload'],
  queue: row.queue,
  sealed: row.sealed,
  result: resultOf(row),
  submittedAt: row.submitted_at,
  startedAt: row.started_at,
  completedAt: row.completed_at,
});

function resultOf({ result, log }: EventRow): EventResult | null {
  if (result === null) return null;
  const { stdout, stderr, dropped } = streamsOf(log ?? Buffer.alloc(0));
  const known = JSON.parse(result) as Omit<EventResult, 'stdout' | 'stderr'>;
  return { ...known, droppedBytes: Math.max(known.droppedBytes, dropped), stdout, stderr };
}

export interface KeyRow {
  id: string;
  name: string;
  tenant: string;
  admin: number;
  rate: number | null;
  hash: Buffer;
  created_at: number;
  last_used_at: number | null;
  revoked_at: number | null;
}

export const keyOf = (row: KeyRow): StoredKey => ({
  id: row.id,
  name: row.name,
  tenant: row.tenant,
  admin: row.admin === 1,
  rate: row.rate,
  hash: row.hash,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
  revokedAt: row.revoked_at,
});
