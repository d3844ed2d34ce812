/** Environment variables of the reaper's Lambda function, set by the construct and read by the handler. */
export const REAPER_ENVIRONMENT = {
  /** Name or ARN of the cluster. Required. */
  cluster: 'MNGR_REAPER_CLUSTER',
  /** Task definition family of the hosts. Required. */
  family: 'MNGR_REAPER_FAMILY',
  /** `true`: decide and tell, change nothing. */
  dryRun: 'MNGR_REAPER_DRY_RUN',
  /** `true`: also stop tasks of the family that carry none of our tags. */
  stopUntagged: 'MNGR_REAPER_STOP_UNTAGGED',
  /** `true`: deregister revisions that were made for image overrides and are no longer needed. */
  revisions: 'MNGR_REAPER_REVISIONS',
  /** `true`: hosts have a public IPv4 address, which costs. */
  publicIp: 'MNGR_REAPER_PUBLIC_IP',
  /** Seconds; see REAPER_DEFAULTS. */
  expiryGrace: 'MNGR_REAPER_EXPIRY_GRACE_SECONDS',
  readyTimeout: 'MNGR_REAPER_READY_TIMEOUT_SECONDS',
} as const;

/** What the reaper goes by unless it is told otherwise. Seconds. */
export const REAPER_DEFAULTS = {
  /** Between two scheduled runs. */
  interval: 300,
  /** After `mngr-expires-at`, in which the watchdog inside the host ends it first. */
  expiryGrace: 300,
  /** For a host to become ready once its boot lease has run out, counted from the container's start. */
  readyTimeout: 3600,
  /** Age from which a task counts for what it is: until then its launcher may still be at work on it. */
  settling: 600,
  /** Age at which a revision made for an image override may be deregistered, once nothing needs it. */
  revisionAge: 7 * 86_400,
} as const;
