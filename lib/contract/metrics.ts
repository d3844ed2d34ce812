/**
 * CloudWatch metrics of an environment. The reaper writes them into its log in the embedded metric format, so nobody
 * needs `cloudwatch:PutMetricData`; the dashboard and the alarms read them.
 */
export const METRICS = {
  namespace: 'MngrFargate',
  /** Dimension of every metric: the task definition's family, which is one per environment. */
  family: 'Family',
  /** Second dimension of `hostsByState`: ECS's lastStatus. */
  state: 'State',
  /** Second dimension of `hostStops`, `reaperStops` and `reaperReports`: why, in one word. */
  reason: 'Reason',

  /** Gauges, at every scheduled run of the reaper. */
  hosts: 'Hosts',
  hostsByState: 'HostsByState',
  /** vCPU of all hosts that haven't stopped. */
  vcpuInUse: 'VcpuInUse',
  /** US dollars a day at list prices, for the hosts running now. */
  costPerDay: 'CostPerDay',

  /** From ECS's task state events. */
  hostStarts: 'HostStarts',
  /** Hosts that stopped before they were RUNNING, or never became ready. */
  hostStartFailures: 'HostStartFailures',
  /** Milliseconds from the task's createdAt to its startedAt. */
  hostStartTime: 'HostStartTime',
  hostStops: 'HostStops',

  /** Hosts that the reaper stopped, and what it only reported, by reason. */
  reaperStops: 'ReaperStops',
  reaperReports: 'ReaperReports',
  /** Calls of AWS that failed in a run after all retries. Every run writes it, so where there is none there was no run. */
  reaperErrors: 'ReaperErrors',
} as const;
