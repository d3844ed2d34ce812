/**
 * How the reasons begin that we give to StopTask; the rest says more. The reaper's metrics tell by them who ended a host.
 */
export const STOP_REASON_PREFIXES = {
  reaper: 'reaper: ',
  destroyed: 'destroyed by the launcher',
  createFailed: 'create failed',
} as const;
