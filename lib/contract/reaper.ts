/** Environment variables of the reaper's Lambda function, set by the construct and read by the handler. */
export const REAPER_ENVIRONMENT = {
  /** Name or ARN of the cluster. Required. */
  cluster: 'MNGR_REAPER_CLUSTER',
  /** Task definition family of the hosts. Required. */
  family: 'MNGR_REAPER_FAMILY',
  /** `true`: report what would be done, and change nothing. */
  dryRun: 'MNGR_REAPER_DRY_RUN',
  /** `true`: also stop tasks of the family that have none of our tags. */
  stopUntagged: 'MNGR_REAPER_STOP_UNTAGGED',
  /** `true`: deregister revisions that were registered for image overrides and are no longer needed. */
  revisions: 'MNGR_REAPER_REVISIONS',
  /** `true`: hosts have a public IPv4 address, which adds to their cost. */
  publicIp: 'MNGR_REAPER_PUBLIC_IP',
  /** Seconds; see REAPER_DEFAULTS. */
  expiryGrace: 'MNGR_REAPER_EXPIRY_GRACE_SECONDS',
  readyTimeout: 'MNGR_REAPER_READY_TIMEOUT_SECONDS',
} as const;

/** Defaults of the reaper, in seconds. */
export const REAPER_DEFAULTS = {
  /** Between two scheduled runs. */
  interval: 300,
  /** Time after `mngr-expires-at` that leaves the watchdog inside the host a chance to stop it first. */
  expiryGrace: 300,
  /** Time for a host to become ready after its boot lease has run out, counted from the container's start. */
  readyTimeout: 3600,
  /** Age until which a task is left alone, since its launcher may still be setting it up. */
  settling: 600,
  /** Age from which a revision that was registered for an image override may be deregistered if nothing needs it. */
  revisionAge: 7 * 86_400,
} as const;
