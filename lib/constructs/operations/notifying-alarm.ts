import type { AlarmProps, IAlarmAction } from 'aws-cdk-lib/aws-cloudwatch';
import { Alarm, ComparisonOperator, TreatMissingData } from 'aws-cdk-lib/aws-cloudwatch';
import type { Construct } from 'constructs';

export type NotifyingAlarmProps = Omit<AlarmProps, 'comparisonOperator'> &
  Partial<Pick<AlarmProps, 'comparisonOperator'>>;

/** An alarm that tells when it begins and when it ends. By default it goes off at its threshold, and missing data is good. */
export function notifyingAlarm(scope: Construct, id: string, action: IAlarmAction, props: NotifyingAlarmProps): Alarm {
  const alarm = new Alarm(scope, id, {
    comparisonOperator: ComparisonOperator.GREATER_THAN_OR_EQUAL_TO_THRESHOLD,
    treatMissingData: TreatMissingData.NOT_BREACHING,
    ...props,
  });
  alarm.addAlarmAction(action);
  alarm.addOkAction(action);
  return alarm;
}
