import { Duration, Stack } from 'aws-cdk-lib';
import type { GraphWidgetProps, IAlarm, IMetric, IWidget } from 'aws-cdk-lib/aws-cloudwatch';
import {
  AlarmStatusWidget,
  Dashboard,
  GraphWidget,
  PeriodOverride,
  SingleValueWidget,
  Stats,
} from 'aws-cdk-lib/aws-cloudwatch';
import { Construct } from 'constructs';
import { METRICS } from '../../contract/metrics';
import type { IMetricsSource, MetricName, VcpuQuota } from './environment-metrics';
import { EnvironmentMetrics, gaugePeriod, vcpuExpression, vcpuUsage } from './environment-metrics';

export interface OperationsDashboardProps {
  /** Task definition family of the hosts; the dashboard is called `<family>-<region>`. */
  readonly family: string;

  /** What stops hosts that should have ended, and writes the metrics. */
  readonly reaper: IMetricsSource;

  /**
   * Alarms whose state is shown on top.
   *
   * @default - none
   */
  readonly alarms?: readonly IAlarm[];

  /**
   * Whether hosts may run on Fargate Spot, which has a quota of its own.
   *
   * @default true
   */
  readonly spot?: boolean;
}

/** CloudWatch's grid has 24 columns. */
const FULL_WIDTH = 24;
const THIRD = 8;
const SIXTH = 4;
const HEIGHT = 6;

const HOUR = Duration.hours(1);
const DAY = Duration.days(1);

/** One page that says how the hosts of an environment are doing and what they cost. */
export class OperationsDashboard extends Construct {
  readonly dashboard: Dashboard;

  private readonly metrics: EnvironmentMetrics;

  /** The period for current values. */
  private readonly now: Duration;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: OperationsDashboardProps,
  ) {
    super(scope, id);
    this.metrics = new EnvironmentMetrics(props.family);
    this.now = gaugePeriod(props.reaper);
    this.dashboard = new Dashboard(this, 'Resource', {
      dashboardName: `${props.family}-${Stack.of(this).region}`,
      defaultInterval: DAY,
      periodOverride: PeriodOverride.INHERIT,
      widgets: [
        ...this.alarmRow(),
        this.numbersRow(),
        this.hostsRow(),
        this.stopsRow(),
        this.moneyAndQuotaRow(),
        this.reaperRow(),
      ],
    });
  }

  private alarmRow(): IWidget[][] {
    const alarms = [...(this.props.alarms ?? [])];
    return alarms.length === 0
      ? []
      : [[new AlarmStatusWidget({ title: 'Alarms', alarms, width: FULL_WIDTH, height: 3 })]];
  }

  private numbersRow(): IWidget[] {
    const { metrics, now } = this;
    const number = (title: string, metric: IMetric, setPeriodToTimeRange = false): IWidget =>
      new SingleValueWidget({ title, metrics: [metric], setPeriodToTimeRange, width: SIXTH, height: 3 });
    const sum = (title: string, name: MetricName): IWidget =>
      number(title, metrics.metric(name, Stats.SUM, HOUR, 'in the time shown'), true);
    return [
      number('Hosts', metrics.metric(METRICS.hosts, Stats.MAXIMUM, now, 'now')),
      number('vCPU', metrics.metric(METRICS.vcpuInUse, Stats.MAXIMUM, now, 'now')),
      number('US dollars a day', metrics.metric(METRICS.costPerDay, Stats.AVERAGE, now, 'now, at list prices')),
      sum('Starts that failed', METRICS.hostStartFailures),
      sum('Stopped by the reaper', METRICS.reaperStops),
      number('In doubt', metrics.metric(METRICS.reaperReports, Stats.MAXIMUM, now, 'reported by its last run')),
    ];
  }

  private hostsRow(): IWidget[] {
    const { metrics, now } = this;
    const startTime = (percentile: number): IMetric =>
      metrics.metric(METRICS.hostStartTime, Stats.percentile(percentile), HOUR, `p${percentile}`);
    return [
      graph('Hosts by state', {
        left: [metrics.by(METRICS.state, METRICS.hostsByState, Stats.MAXIMUM, now)],
        stacked: true,
      }),
      graph('Starts and stops an hour', {
        left: [
          metrics.metric(METRICS.hostStarts, Stats.SUM, HOUR, 'started'),
          metrics.metric(METRICS.hostStartFailures, Stats.SUM, HOUR, 'failed to start'),
          metrics.metric(METRICS.hostStops, Stats.SUM, HOUR, 'stopped'),
        ],
      }),
      graph('Start time', {
        left: [startTime(50), startTime(95)],
        leftYAxis: { label: 'ms from RunTask to RUNNING', min: 0, showUnits: false },
      }),
    ];
  }

  private stopsRow(): IWidget[] {
    const byReason = (title: string, metricName: string, statistic: string, period: Duration): IWidget =>
      graph(title, { left: [this.metrics.by(METRICS.reason, metricName, statistic, period)], stacked: true });
    return [
      byReason('Stops by reason', METRICS.hostStops, Stats.SUM, HOUR),
      byReason('Stops by the reaper, by reason', METRICS.reaperStops, Stats.SUM, HOUR),
      // Every run reports again what still applies.
      byReason('In doubt, by reason', METRICS.reaperReports, Stats.MAXIMUM, this.now),
    ];
  }

  private moneyAndQuotaRow(): IWidget[] {
    const { metrics, now } = this;
    const quota = (title: string, quota: VcpuQuota, own: IMetric[]): IWidget =>
      graph(title, {
        left: [vcpuUsage(quota, 'account'), ...own, vcpuExpression(quota, 'SERVICE_QUOTA(usage)', 'quota')],
      });
    return [
      graph('Cost of each day in US dollars, at list prices', {
        // The mean of a day's rates is what the day costs.
        left: [metrics.metric(METRICS.costPerDay, Stats.AVERAGE, DAY, 'US dollars')],
        start: '-P28D',
      }),
      quota('vCPU of the account, Fargate On-Demand', 'Standard/OnDemand', [
        metrics.metric(METRICS.vcpuInUse, Stats.MAXIMUM, now, 'these hosts, Spot included'),
      ]),
      ...((this.props.spot ?? true) ? [quota('vCPU of the account, Fargate Spot', 'Standard/Spot', [])] : []),
    ];
  }

  private reaperRow(): IWidget[] {
    const reaper = this.props.reaper.handler;
    return [
      graph('Runs of the reaper', {
        left: [reaper.metricInvocations({ period: HOUR, label: 'runs' })],
        right: [reaper.metricErrors({ period: HOUR, label: 'crashes' })],
      }),
      graph('Calls of AWS that failed in the reaper', {
        left: [this.metrics.metric(METRICS.reaperErrors, Stats.SUM, HOUR, 'after all retries')],
      }),
      graph('Duration of the reaper', {
        left: [
          reaper.metricDuration({ period: HOUR, statistic: Stats.percentile(50), label: 'p50' }),
          reaper.metricDuration({ period: HOUR, statistic: Stats.MAXIMUM, label: 'longest' }),
        ],
      }),
    ];
  }
}

const graph = (title: string, props: Omit<GraphWidgetProps, 'title' | 'width' | 'height'>): GraphWidget =>
  new GraphWidget({ leftYAxis: { min: 0, showUnits: false }, ...props, title, width: THIRD, height: HEIGHT });
