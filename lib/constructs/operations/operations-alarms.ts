import { Duration } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { ComparisonOperator, MathExpression, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { METRICS } from '../../contract/metrics';
import type { IMetricsSource, VcpuQuota } from './environment-metrics';
import { EnvironmentMetrics, gaugePeriod, vcpuExpression } from './environment-metrics';
import { notifyingAlarm } from './notifying-alarm';
import type { NotifyingAlarmProps } from './notifying-alarm';

export interface OperationsAlarmsProps {
  /** Task definition family of the hosts; the names of the alarms start with it. */
  readonly family: string;

  /** What stops hosts that should have ended, and writes the metrics. */
  readonly reaper: IMetricsSource;

  /** Where the start and end of an alarm are sent. */
  readonly topic: ITopic;

  /**
   * Whether hosts may run on Fargate Spot, which has a quota of its own.
   *
   * @default true
   */
  readonly spot?: boolean;

  /**
   * Percent of a vCPU quota from which on its alarm goes off, 1 to 100.
   *
   * @default 80
   */
  readonly quotaPercent?: number;

  /**
   * The number of hosts that fail to start within 15 minutes before the alarm goes off. A single failure is usually a
   * wrong image name.
   *
   * @default 3
   */
  readonly startFailures?: number;
}

const QUARTER = Duration.minutes(15);

/** Runs that must be missed before the reaper counts as not running. */
const MISSED_RUNS = 3;

/** The alarms that a team acts on; docs/operating.md says how. */
export class OperationsAlarms extends Construct {
  readonly alarms: readonly Alarm[];

  private readonly metrics: EnvironmentMetrics;
  private readonly action: SnsAction;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: OperationsAlarmsProps,
  ) {
    super(scope, id);
    this.metrics = new EnvironmentMetrics(props.family);
    this.action = new SnsAction(props.topic);
    this.alarms = [
      this.reaperNotRunning(),
      this.reaperFailing(),
      this.startFailures(),
      this.quota('VcpuQuota', 'vcpu-quota', 'Standard/OnDemand', 'Fargate On-Demand'),
      ...((props.spot ?? true)
        ? [this.quota('SpotVcpuQuota', 'spot-vcpu-quota', 'Standard/Spot', 'Fargate Spot')]
        : []),
    ];
  }

  /** Every run writes how many of its calls failed, even if none did; a missing figure shows that there was no run. */
  private reaperNotRunning(): Alarm {
    const period = gaugePeriod(this.props.reaper);
    return this.alarm('ReaperNotRunning', 'reaper-not-running', {
      alarmDescription: `The reaper has not finished a run for ${period.toMinutes() * MISSED_RUNS} minutes: hosts past their age are not stopped.`,
      metric: this.metrics.metric(METRICS.reaperErrors, Stats.SAMPLE_COUNT, period),
      threshold: 1,
      comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
      evaluationPeriods: MISSED_RUNS,
      treatMissingData: TreatMissingData.BREACHING,
    });
  }

  private reaperFailing(): Alarm {
    return this.alarm('ReaperFailing', 'reaper-failing', {
      alarmDescription: "The reaper's function fails, or its calls of AWS do after all retries.",
      metric: new MathExpression({
        expression: 'FILL(crashes, 0) + FILL(failedCalls, 0)',
        label: 'crashes and failed calls',
        usingMetrics: {
          crashes: this.props.reaper.handler.metricErrors({ period: QUARTER, statistic: Stats.SUM }),
          failedCalls: this.metrics.metric(METRICS.reaperErrors, Stats.SUM, QUARTER),
        },
        period: QUARTER,
      }),
      threshold: 1,
      evaluationPeriods: 3,
      datapointsToAlarm: 2,
    });
  }

  private startFailures(): Alarm {
    const failures = this.props.startFailures ?? 3;
    return this.alarm('StartFailures', 'start-failures', {
      alarmDescription: `${failures} hosts or more failed to start within 15 minutes.`,
      metric: this.metrics.metric(METRICS.hostStartFailures, Stats.SUM, QUARTER),
      threshold: failures,
      evaluationPeriods: 1,
    });
  }

  private quota(id: string, name: string, quota: VcpuQuota, words: string): Alarm {
    const percent = this.props.quotaPercent ?? 80;
    return this.alarm(id, name, {
      alarmDescription: `${percent} % of the account's ${words} vCPU quota in this region is in use: launches fail when it is used up.`,
      metric: vcpuExpression(quota, '100 * usage / SERVICE_QUOTA(usage)', '% of the quota'),
      threshold: percent,
      evaluationPeriods: 2,
    });
  }

  private alarm(id: string, name: string, props: Omit<NotifyingAlarmProps, 'alarmName'>): Alarm {
    return notifyingAlarm(this, id, this.action, { ...props, alarmName: `${this.props.family}-${name}` });
  }
}
