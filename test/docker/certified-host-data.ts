import * as z from 'zod';

const activitySource = z.enum(['CREATE', 'BOOT', 'START', 'SSH', 'PROCESS', 'AGENT', 'USER']);

/**
 * mngr's CertifiedHostData (imbue-mngr 0.3.0, interfaces/data_types.py): keys that it doesn't know are errors.
 * `idle_mode` is computed by mngr and ignored when it reads.
 */
export const certifiedHostData = z.strictObject({
  idle_timeout_seconds: z.int(),
  activity_sources: z.array(activitySource),
  idle_mode: z.enum(['IO', 'DISABLED']),
  created_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  max_host_age: z.int().nullable(),
  plugin: z.strictObject({ fargate: z.strictObject({ provider: z.string(), task_arn: z.string().optional() }) }),
  image: z.null(),
  generated_work_dirs: z.array(z.string()),
  generated_source_dirs: z.array(z.string()),
  host_id: z.string().regex(/^host-[0-9a-f]{32}$/),
  host_name: z.string(),
  user_tags: z.record(z.string(), z.string()),
  snapshots: z.array(z.never()),
  tmux_session_prefix: z.literal('mngr-'),
  stop_reason: z.null(),
  failure_reason: z.null(),
  build_log: z.null(),
});
