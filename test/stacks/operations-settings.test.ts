import { readSettings } from '../../lib/stacks/context';
import { problemsOf } from '../support/cdk/context-problems';
import { templateFor } from '../support/cdk/synthesized-app';

const TOPIC = 'arn:aws:sns:eu-central-1:123456789012:on-call';

describe('the keys of dashboard, alarms and budget', () => {
  it('read the same from -c and from cdk.json', () => {
    const values = {
      alarmEmail: ['team@example.com', 'on-call@example.com'],
      quotaAlarmPercent: 90,
      monthlyBudgetUsd: 500,
      dashboard: true,
    };

    expect(readSettings(values)).toEqual(values);
    expect(
      readSettings({
        alarmEmail: 'team@example.com,on-call@example.com',
        quotaAlarmPercent: '90',
        monthlyBudgetUsd: '500',
        dashboard: 'true',
      }),
    ).toEqual(values);
  });

  it.each([
    [{ alarmEmail: 'team' }, 'alarmEmail: "team" is not an e-mail address'],
    [
      { alarmTopicArn: 'on-call' },
      'alarmTopicArn: "on-call" is not the ARN of a standard SNS topic: use arn:aws:sns:REGION:ACCOUNT:NAME',
    ],
    [
      { alarmTopicArn: `${TOPIC}.fifo` },
      `alarmTopicArn: "${TOPIC}.fifo" is not the ARN of a standard SNS topic: use arn:aws:sns:REGION:ACCOUNT:NAME`,
    ],
    [
      { alarms: 'true', quotaAlarmPercent: '101' },
      'quotaAlarmPercent: 101 is out of range: use a whole number from 1 to 100',
    ],
    [
      { alarms: 'true', monthlyBudgetUsd: '0' },
      'monthlyBudgetUsd: 0 is out of range: use a whole number from 1 to 1000000000',
    ],
    [{ alarms: 'true', monthlyBudgetUsd: '9', budgetTag: 'team' }, 'budgetTag: "team" is not a tag: use KEY=VALUE'],
  ])('refuse %j', (context, problem) => expect(problemsOf(context)).toEqual([problem]));

  it.each([
    [
      { alarmEmail: 'a@example.com', alarmTopicArn: TOPIC },
      'alarmEmail: has no effect together with alarmTopicArn: leave one of them out',
    ],
    [
      { alarmTopicArn: TOPIC, alarms: 'false' },
      'alarmTopicArn: has no effect with alarms=false and without monthlyBudgetUsd: leave it out',
    ],
    [{ monthlyBudgetUsd: '9' }, 'monthlyBudgetUsd: needs someone to notify: give alarmEmail or alarmTopicArn'],
    [{ alarms: 'true', budgetTag: 'team=a' }, 'budgetTag: has no effect without monthlyBudgetUsd'],
    [{ quotaAlarmPercent: '90' }, 'quotaAlarmPercent: has no effect without alarms: give alarmEmail or alarmTopicArn'],
    [
      { reaper: 'false', alarmTopicArn: TOPIC },
      'alarms: has no effect with reaper=false, as the reaper writes the metrics',
    ],
    [
      { reaper: 'false', dashboard: 'true' },
      'dashboard: has no effect with reaper=false, as the reaper writes the metrics',
    ],
  ])('refuse what has no effect: %j', (context, problem) => expect(problemsOf(context)).toEqual([problem]));

  it('accept a budget alone, which notifies the topic', () => {
    expect(problemsOf({ alarms: 'false', alarmTopicArn: TOPIC, monthlyBudgetUsd: '9', reaper: 'false' })).toEqual([]);
  });

  it('reach the template', () => {
    const template = templateFor({
      namePrefix: 'team-a',
      alarmTopicArn: TOPIC,
      quotaAlarmPercent: '70',
      monthlyBudgetUsd: '250',
      budgetTag: 'cost=a=b',
      dashboard: 'true',
      spot: 'false',
      reaperInterval: '3600',
    });

    template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: [TOPIC] });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'team-a-mngr-task-vcpu-quota',
      Threshold: 70,
    });
    template.hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'team-a-mngr-task-reaper-not-running',
      Period: 3600,
    });
    template.hasResourceProperties('AWS::CloudWatch::Dashboard', { DashboardName: 'team-a-mngr-task-eu-central-1' });
    template.hasResourceProperties('AWS::Budgets::Budget', {
      Budget: { BudgetLimit: { Amount: 250 }, CostFilters: { TagKeyValue: ['user:cost$a=b'] } },
    });
  });

  it('put nothing that costs money into the template by default', () => {
    const template = templateFor({});

    for (const type of ['CloudWatch::Alarm', 'CloudWatch::Dashboard', 'Budgets::Budget', 'SNS::Topic', 'KMS::Key']) {
      template.resourceCountIs(`AWS::${type}`, 0);
    }
  });
});
