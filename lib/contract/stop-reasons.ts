/**
 * How the reasons that we pass to StopTask begin; the rest gives details. The reaper's metrics use them to tell who
 * stopped a host.
 */
export const STOP_REASON_PREFIXES = {
  reaper: 'reaper: ',
  destroyed: 'destroyed by the launcher',
  createFailed: 'create failed',
} as const;
