/**
 * CloudWatch metrics of an environment. The reaper writes them to its log in the embedded metric format, so it does not
 * need `cloudwatch:PutMetricData`. The dashboard and the alarms read them.
 */
export const METRICS = {
  namespace: 'MngrFargate',
  /** Dimension of every metric: the task definition's family, of which each environment has one. */
  family: 'Family',
  /** Second dimension of `hostsByState`: ECS's lastStatus. */
  state: 'State',
  /** Second dimension of `hostStops`, `reaperStops` and `reaperReports`: the reason, in one word. */
  reason: 'Reason',

  /** Gauges, at every scheduled run of the reaper. */
  hosts: 'Hosts',
  hostsByState: 'HostsByState',
  /** vCPUs of all hosts that haven't stopped. */
  vcpuInUse: 'VcpuInUse',
  /** US dollars per day at list prices, for the hosts that are running now. */
  costPerDay: 'CostPerDay',

  /** From ECS's task state events. */
  hostStarts: 'HostStarts',
  /** Hosts that stopped before they were RUNNING, or never became ready. */
  hostStartFailures: 'HostStartFailures',
  /** Milliseconds from the task's createdAt to its startedAt. */
  hostStartTime: 'HostStartTime',
  hostStops: 'HostStops',

  /** Hosts that the reaper stopped, and tasks that it only reported, by reason. */
  reaperStops: 'ReaperStops',
  reaperReports: 'ReaperReports',
  /** AWS calls that failed after all retries. Every run writes this metric, so missing data means that no run took place. */
  reaperErrors: 'ReaperErrors',
} as const;
