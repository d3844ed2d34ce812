import type { Stack } from 'aws-cdk-lib';
import { Template } from 'aws-cdk-lib/assertions';
import type { ITopic } from 'aws-cdk-lib/aws-sns';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type { OperationsOptions } from '../../../lib/constructs';
import type { Options } from '../../support/cdk/operations-stack';
import { operationsWith } from '../../support/cdk/operations-stack';
import { snapshotOf } from '../../support/assertions/template-snapshot';

const onCall = (stack: Stack): ITopic =>
  Topic.fromTopicArn(stack, 'OnCall', 'arn:aws:sns:eu-central-1:123456789012:on-call');

/** How many of each there are, in the template of these options. */
const countsOf = (options: Options): Record<string, number> => {
  const template = Template.fromStack(operationsWith(options).stack);
  const count = (type: string): number => Object.keys(template.findResources(type)).length;
  return {
    dashboards: count('AWS::CloudWatch::Dashboard'),
    alarms: count('AWS::CloudWatch::Alarm'),
    budgets: count('AWS::Budgets::Budget'),
    topics: count('AWS::SNS::Topic'),
    keys: count('AWS::KMS::Key'),
  };
};

const NOTHING = { dashboards: 0, alarms: 0, budgets: 0, topics: 0, keys: 0 };

describe('what is made', () => {
  it('is nothing that costs money, unless it is asked for', () => {
    expect(countsOf({})).toEqual(NOTHING);
    expect(countsOf({ alarmEmails: [] })).toEqual(NOTHING);
  });

  it('is a dashboard alone', () => {
    expect(countsOf({ dashboard: true })).toEqual({ ...NOTHING, dashboards: 1 });
  });

  it('is the alarms and a topic, where there is an address to tell', () => {
    expect(countsOf({ alarmEmails: ['team@example.com'] })).toEqual({ ...NOTHING, alarms: 5, topics: 1, keys: 1 });
  });

  it('is a topic without subscribers, for alarms that the team subscribes to by itself', () => {
    const { stack } = operationsWith({ alarms: true });

    Template.fromStack(stack).resourceCountIs('AWS::SNS::Topic', 1);
    Template.fromStack(stack).resourceCountIs('AWS::SNS::Subscription', 0);
  });

  it('is no topic and no key where there is one', () => {
    const counts = countsOf((stack) => ({ alarmTopic: onCall(stack), monthlyBudgetUsd: 500 }));

    expect(counts).toEqual({ ...NOTHING, alarms: 5, budgets: 1 });
  });

  it('is a budget alone', () => {
    expect(countsOf({ alarms: false, alarmEmails: ['team@example.com'], monthlyBudgetUsd: 500 })).toEqual({
      ...NOTHING,
      budgets: 1,
      topics: 1,
      keys: 1,
    });
  });

  it('is no alarm for Spot where hosts may not run there', () => {
    const template = Template.fromStack(operationsWith({ alarms: true }, { spot: false }).stack);

    template.resourceCountIs('AWS::CloudWatch::Alarm', 4);
  });
});

it('stays as it was reviewed', () => {
  const { stack } = operationsWith({
    dashboard: true,
    alarmEmails: ['team@example.com'],
    monthlyBudgetUsd: 500,
    budgetTag: { key: 'team', value: 'search' },
  });

  expect(snapshotOf(Template.fromStack(stack))).toMatchSnapshot();
});

describe('what would have no effect', () => {
  const team = ['team@example.com'];

  it.each<[string, Options, string]>([
    [
      'two places to tell',
      (stack) => ({ alarmEmails: team, alarmTopic: onCall(stack) }),
      'alarmEmails and alarmTopic cannot be used together',
    ],
    ['an address without anything to tell', { alarmEmails: team, alarms: false }, 'have no effect'],
    ['a budget that nobody hears of', { monthlyBudgetUsd: 500 }, 'needs someone to notify'],
    ['a tag without a budget', { budgetTag: { key: 'team', value: 'a' } }, 'budgetTag has no effect'],
    ['a threshold without alarms', { quotaAlarmPercent: 90 }, 'quotaAlarmPercent has no effect'],
    [
      'a threshold that is never reached',
      { alarms: true, quotaAlarmPercent: 101 },
      '101 is out of range: use 1 to 100',
    ],
    ['a budget of nothing', { alarmEmails: team, monthlyBudgetUsd: 0 }, '0 US dollars is not valid'],
  ])('is refused: %s', (_, options, message) => {
    expect(() => operationsWith(options)).toThrow(message);
  });

  it.each<[string, OperationsOptions]>([
    ['alarms', { alarmEmails: team }],
    ['dashboard', { dashboard: true }],
  ])('is refused: %s without the reaper that writes the metrics', (name, options) => {
    expect(() => operationsWith(options, { withReaper: false })).toThrow(
      `${name}: the metrics of hosts are written by the reaper, which is off`,
    );
  });

  it('is not a budget without the reaper: AWS Budgets reads the bill', () => {
    const options = { alarms: false, alarmEmails: team, monthlyBudgetUsd: 500 };

    expect(() => operationsWith(options, { withReaper: false })).not.toThrow();
  });
});
