import { Duration } from 'aws-cdk-lib';
import type { IMetric } from 'aws-cdk-lib/aws-cloudwatch';
import { MathExpression, Metric, Stats } from 'aws-cdk-lib/aws-cloudwatch';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import { METRICS } from '../../contract/metrics';

/** Who writes the metrics: the reaper. */
export interface IMetricsSource {
  readonly handler: IFunction;

  /** Time between two scheduled runs, each of which writes the gauges. */
  readonly interval: Duration;
}

/** A metric of the contract that is there with the family as its only dimension. */
export type MetricName = (typeof METRICS)[Exclude<
  keyof typeof METRICS,
  'namespace' | 'family' | 'state' | 'reason' | 'hostsByState'
>];

/** The second dimension of a metric beside the family: the state of hosts, or the reason of stops. */
type Breakdown = typeof METRICS.state | typeof METRICS.reason;

/** Which of Fargate's two vCPU quotas. Service Quotas names them L-3032A538 and L-36FBB829. */
export type VcpuQuota = 'Standard/OnDemand' | 'Standard/Spot';

/** The CloudWatch metrics of one environment, as its reaper writes them. */
export class EnvironmentMetrics {
  /** @param family the task definition family, which is one per environment */
  constructor(private readonly family: string) {}

  /** One metric of the environment. */
  metric(metricName: MetricName, statistic: string, period: Duration, label?: string): Metric {
    return new Metric({
      namespace: METRICS.namespace,
      metricName,
      dimensionsMap: { [METRICS.family]: this.family },
      statistic,
      period,
      label,
    });
  }

  /** One line for each value of the second dimension that CloudWatch has seen. Dashboards only: alarms can't search. */
  by(dimension: Breakdown, metricName: string, statistic: string, period: Duration): IMetric {
    const search = `{${METRICS.namespace},${METRICS.family},${dimension}} MetricName="${metricName}" ${METRICS.family}="${this.family}"`;
    return new MathExpression({
      expression: `SEARCH('${search}', '${statistic}', ${period.toSeconds()})`,
      label: `\${PROP('Dim.${dimension}')}`,
      usingMetrics: {},
      period,
    });
  }
}

/** The shortest period that has a value of a gauge in it: that between two runs, in CloudWatch's whole minutes. */
export const gaugePeriod = ({ interval }: IMetricsSource): Duration =>
  Duration.minutes(Math.max(5, Math.ceil(interval.toMinutes({ integral: false }))));

/**
 * vCPU that the whole account runs on Fargate in the region, which is what the quota counts. Written by AWS, free of
 * charge (Amazon ECS developer guide, "AWS Fargate usage metrics").
 */
export function vcpuUsage(quota: VcpuQuota, label?: string): Metric {
  return new Metric({
    namespace: 'AWS/Usage',
    metricName: 'ResourceCount',
    dimensionsMap: { Service: 'Fargate', Type: 'Resource', Resource: 'vCPU', Class: quota },
    statistic: Stats.MAXIMUM,
    period: Duration.minutes(5),
    label,
  });
}

/** Arithmetic on a quota's usage `usage`, for example `SERVICE_QUOTA(usage)`: the quota as it is at that time. */
export function vcpuExpression(quota: VcpuQuota, expression: string, label: string): MathExpression {
  return new MathExpression({
    expression,
    label,
    usingMetrics: { usage: vcpuUsage(quota) },
    period: Duration.minutes(5),
  });
}
