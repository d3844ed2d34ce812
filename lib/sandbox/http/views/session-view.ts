import type { Cost, Diagnostics, Session } from '../../model/types';
import type { ApiShape } from '../route';

/** A session as JSON. */
export const sessionView = (session: Session, shape: ApiShape = 'documented') => ({
  id: session.id,
  status: session.status,
  ready: session.ready,
  created_at: session.createdAt,
  last_active_at: session.lastActiveAt,
  expires_at: session.expiresAt,
  busy_until: session.busyUntil,
  ends_at: session.endsAt,
  ttl_seconds: session.ttlSeconds,
  image: session.image,
  cpu: session.cpu,
  memory: session.memory,
  metadata: session.metadata,
  destroyed_at: session.destroyedAt,
  end_reason: session.endReason,
  ...(shape === 'actual' ? { container_id: null, container_ip: null, workspace_path: null } : {}),
});

/** Without the digits that binary fractions add. */
const microdollars = (usd: number): number => Math.round(usd * 1e6) / 1e6;

export const costView = ({ usd, usdPerHour, billedFrom }: Cost) => ({
  usd: microdollars(usd),
  usd_per_hour: microdollars(usdPerHour),
  billed_from: billedFrom,
});

export const diagnosticsView = (found: Diagnostics) => ({
  session: sessionView(found.session),
  task_arn: found.taskArn,
  task_state: found.taskState,
  stop_code: found.stopCode,
  stopped_reason: found.stoppedReason,
  container_reason: found.containerReason,
  exit_code: found.exitCode,
  end_reason: found.endReason,
  problem: found.problem,
  stages: found.stages,
  log_lines: found.logLines,
  cost: costView(found.cost),
});
