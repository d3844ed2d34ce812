import type { SandboxEvent, Session } from '../model/types';
import type { StoredEvent, StoredSession } from '../store';

/** What callers see of a stored session. */
export const sessionView = (stored: StoredSession): Session => ({
  tenant: stored.tenant,
  id: stored.id,
  generation: stored.generation,
  status: stored.status,
  ready: stored.ready,
  createdAt: stored.createdAt,
  lastActiveAt: stored.lastActiveAt,
  expiresAt: Math.min(Math.max(stored.expiresAt, stored.busyUntil ?? 0), stored.endsAt),
  busyUntil: stored.busyUntil,
  endsAt: stored.endsAt,
  ttlSeconds: stored.ttlSeconds,
  image: stored.image,
  cpu: stored.cpu,
  memory: stored.memory,
  metadata: stored.metadata,
  destroyedAt: stored.destroyedAt,
  endReason: stored.endReason,
});

export const eventView = (stored: StoredEvent): SandboxEvent => ({
  id: stored.id,
  sessionId: stored.sessionId,
  seq: stored.seq,
  kind: stored.kind,
  status: stored.status,
  payload: stored.payload,
  result: stored.result,
  submittedAt: stored.submittedAt,
  startedAt: stored.startedAt,
  completedAt: stored.completedAt,
});
