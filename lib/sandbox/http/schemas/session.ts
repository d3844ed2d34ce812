import * as z from 'zod';
import { component } from './documented';
import { newSessionId, time } from './common';

const LONGEST_SECONDS = 30 * 24 * 3600;
/** Deeper or larger metadata is refused: it is for labels, not for contents. */
const METADATA_BYTES = 16 * 1024;
const METADATA_DEPTH = 16;

const metadata = z
  .record(z.string().max(256), z.unknown())
  .refine((value) => depthOf(value) <= METADATA_DEPTH, {
    error: `is nested too deep: the limit is ${METADATA_DEPTH} levels`,
  })
  .refine((value) => depthOf(value) > METADATA_DEPTH || Buffer.byteLength(JSON.stringify(value)) <= METADATA_BYTES, {
    error: `is too large: the limit is ${METADATA_BYTES} bytes of JSON`,
  });

/** Counts no further than the limit, so that a hostile value costs nothing. */
function depthOf(value: unknown, depth = 0): number {
  if (typeof value !== 'object' || value === null || depth > METADATA_DEPTH) return depth;
  return Math.max(
    depth + 1,
    ...Object.values(value)
      .slice(0, 10_000)
      .map((member) => depthOf(member, depth + 1)),
  );
}

const ttlSeconds = z.int().min(5).max(LONGEST_SECONDS);

export const createSession = component(
  'CreateSession',
  z.strictObject({
    id: newSessionId
      .optional()
      .meta({ description: 'default: a new UUID; may be used again once its session is destroyed' }),
    ttl_seconds: ttlSeconds
      .optional()
      .meta({ description: 'seconds without use after which the session ends; default: the service’s' }),
    image: z.string().min(1).max(512).nullish().meta({ description: 'default: the service’s image' }),
    cpu: z.int().positive().optional().meta({ description: 'CPU units; 1024 is one vCPU' }),
    memory: z.int().positive().optional().meta({ description: 'MiB' }),
    metadata: metadata.nullish(),
    wait: z.boolean().optional().meta({ description: 'false answers before the host is ready; default: true' }),
  }),
);

export const changeSession = component(
  'ChangeSession',
  z.strictObject({
    ttl_seconds: ttlSeconds.optional(),
    busy_seconds: z.int().min(0).max(LONGEST_SECONDS).optional().meta({
      description: 'it counts as used for this many seconds from now on, for work that it does by itself; 0 ends that',
    }),
    metadata: metadata.optional().meta({ description: 'replaces the members that it has; null removes one' }),
  }),
);

export const sessionStatus = z.enum(['active', 'stale', 'destroyed']);

export const session = component(
  'Session',
  z.object({
    id: z.string(),
    status: sessionStatus,
    ready: z.boolean().meta({ description: 'true once the host answers; commands that come earlier wait' }),
    created_at: time,
    last_active_at: time,
    expires_at: time.meta({ description: 'when it becomes stale unless it is used' }),
    busy_until: time.nullable().meta({ description: 'it counts as used until then, as busy_seconds said' }),
    ends_at: time.meta({ description: 'when it is destroyed even in use' }),
    ttl_seconds: z.number(),
    image: z.string().nullable(),
    cpu: z.number(),
    memory: z.number(),
    metadata: z.record(z.string(), z.unknown()),
    destroyed_at: time.nullable(),
    end_reason: z.enum(['deleted', 'expired', 'max-age', 'failed', 'host-stopped', 'orphaned']).nullable(),
    container_id: z.null().optional().meta({ description: 'below /v0 only, for clients that expect the member' }),
    container_ip: z.null().optional(),
    workspace_path: z.null().optional(),
  }),
);

export const sessionList = component(
  'SessionList',
  z.object({
    sessions: z.array(session),
    has_more: z.boolean(),
    next_cursor: z.string().nullable().meta({ description: 'the cursor of the next page' }),
  }),
);

const cost = component(
  'Cost',
  z.object({
    usd: z.number().meta({ description: 'so far, at list prices' }),
    usd_per_hour: z.number(),
    billed_from: time.nullable(),
  }),
);

export { cost };

export const diagnostics = component(
  'Diagnostics',
  z.object({
    session,
    task_arn: z.string().nullable(),
    task_state: z.string().nullable().meta({ description: 'as ECS says it' }),
    stop_code: z.string().nullable(),
    stopped_reason: z.string().nullable(),
    container_reason: z.string().nullable(),
    exit_code: z.number().nullable(),
    end_reason: z.string().nullable(),
    problem: z.string().nullable().meta({ description: 'why the host could not be started or was given up' }),
    stages: z.record(z.string(), time).meta({ description: 'when each stage was reached' }),
    log_lines: z.array(z.object({ timestamp: z.string(), message: z.string() })),
    cost,
  }),
);
