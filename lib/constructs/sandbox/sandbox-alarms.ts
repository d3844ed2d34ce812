import { Duration } from 'aws-cdk-lib';
import type { Alarm } from 'aws-cdk-lib/aws-cloudwatch';
import { ComparisonOperator, Metric, Stats, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import { SnsAction } from 'aws-cdk-lib/aws-cloudwatch-actions';
import type { FargateService } from 'aws-cdk-lib/aws-ecs';
import type { FileSystem } from 'aws-cdk-lib/aws-efs';
import type { ApplicationLoadBalancer, ApplicationTargetGroup } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import { HttpCodeElb, HttpCodeTarget } from 'aws-cdk-lib/aws-elasticloadbalancingv2';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Construct } from 'constructs';
import { notifyingAlarm } from '../operations/notifying-alarm';
import type { NotifyingAlarmProps } from '../operations/notifying-alarm';

export interface SandboxAlarmsProps {
  /** What the names of the alarms start with. */
  readonly name: string;

  /** Where the beginning and the end of an alarm are announced. */
  readonly topic: ITopic;

  readonly service: FargateService;
  readonly loadBalancer: ApplicationLoadBalancer;
  readonly targetGroup: ApplicationTargetGroup;
  readonly fileSystem: FileSystem;
}

const MINUTE = Duration.minutes(1);
const FIVE_MINUTES = Duration.minutes(5);

/** The alarms of the sandbox service; docs/sandbox-deployment.md says what to do about each. */
export class SandboxAlarms extends Construct {
  readonly alarms: readonly Alarm[];
  private readonly action: SnsAction;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: SandboxAlarmsProps,
  ) {
    super(scope, id);
    this.action = new SnsAction(props.topic);
    const { service, loadBalancer, targetGroup, fileSystem } = props;
    const sums = { period: FIVE_MINUTES, statistic: Stats.SUM };
    this.alarms = [
      // A deployment stops the old task first, so a gap of a minute or two is its usual course.
      this.alarm('NoTask', 'no-task', {
        alarmDescription: 'No task of the sandbox service has been healthy for 5 minutes: nobody can use a sandbox.',
        metric: targetGroup.metrics.healthyHostCount({ period: MINUTE, statistic: Stats.MAXIMUM }),
        threshold: 1,
        comparisonOperator: ComparisonOperator.LESS_THAN_THRESHOLD,
        evaluationPeriods: 5,
        treatMissingData: TreatMissingData.BREACHING,
      }),
      this.alarm('Unhealthy', 'unhealthy', {
        alarmDescription: 'The task of the sandbox service runs and has failed its health check for 5 minutes.',
        metric: targetGroup.metrics.unhealthyHostCount({ period: MINUTE, statistic: Stats.MAXIMUM }),
        threshold: 1,
        evaluationPeriods: 5,
      }),
      this.alarm('ServiceErrors', 'service-errors', {
        alarmDescription:
          'The sandbox service answered 10 calls or more with 5xx within 5 minutes, twice of three times.',
        metric: targetGroup.metrics.httpCodeTarget(HttpCodeTarget.TARGET_5XX_COUNT, sums),
        threshold: 10,
        evaluationPeriods: 3,
        datapointsToAlarm: 2,
      }),
      this.alarm('BalancerErrors', 'balancer-errors', {
        alarmDescription:
          'The load balancer answered 10 calls or more with 5xx of its own within 5 minutes, twice of three times.',
        metric: loadBalancer.metrics.httpCodeElb(HttpCodeElb.ELB_5XX_COUNT, sums),
        threshold: 10,
        evaluationPeriods: 3,
        datapointsToAlarm: 2,
      }),
      this.alarm('Memory', 'memory', {
        alarmDescription: 'The sandbox service uses 85 % of its memory: give it more, before it is ended.',
        metric: service.metricMemoryUtilization({ period: FIVE_MINUTES, statistic: Stats.MAXIMUM }),
        threshold: 85,
        evaluationPeriods: 2,
      }),
      this.alarm('DatabaseLoad', 'database-load', {
        alarmDescription: "The file system of the sandbox service's database is at 90 % of what it can do.",
        metric: new Metric({
          namespace: 'AWS/EFS',
          metricName: 'PercentIOLimit',
          dimensionsMap: { FileSystemId: fileSystem.fileSystemId },
          period: FIVE_MINUTES,
          statistic: Stats.MAXIMUM,
        }),
        threshold: 90,
        evaluationPeriods: 3,
      }),
    ];
  }

  private alarm(id: string, name: string, props: Omit<NotifyingAlarmProps, 'alarmName'>): Alarm {
    return notifyingAlarm(this, id, this.action, { ...props, alarmName: `${this.props.name}-${name}` });
  }
}
