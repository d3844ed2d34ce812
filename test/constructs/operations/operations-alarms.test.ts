import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Duration } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import { operationsWith } from '../../support/cdk/operations-stack';
import { ROOT } from '../../support/run/paths';

const template = Template.fromStack(operationsWith({ alarmEmails: ['team@example.com'], quotaAlarmPercent: 70 }).stack);

/** The alarm of a name, as CloudFormation will make it. */
const has = (AlarmName: string, properties: Record<string, unknown>): void =>
  template.hasResourceProperties('AWS::CloudWatch::Alarm', { AlarmName, ...properties });

describe('the alarms', () => {
  it('tell the topic of their beginning and their end', () => {
    const topic = [{ Ref: Match.stringLikeRegexp('^OperationsToldTopic') }];

    template.allResourcesProperties('AWS::CloudWatch::Alarm', { AlarmActions: topic, OKActions: topic });
  });

  it('go off when the reaper did not run, which the absence of metrics shows', () => {
    has('mngr-task-reaper-not-running', {
      Namespace: 'MngrFargate',
      MetricName: 'ReaperErrors',
      Dimensions: [{ Name: 'Family', Value: 'mngr-task' }],
      Statistic: 'SampleCount',
      Period: 300,
      EvaluationPeriods: 3,
      Threshold: 1,
      ComparisonOperator: 'LessThanThreshold',
      TreatMissingData: 'breaching',
    });
  });

  it('give a reaper that runs less often the time for three runs', () => {
    const seldom = operationsWith({ alarms: true }, { interval: Duration.minutes(90) });

    Template.fromStack(seldom.stack).hasResourceProperties('AWS::CloudWatch::Alarm', {
      AlarmName: 'mngr-task-reaper-not-running',
      AlarmDescription: Match.stringLikeRegexp('for 270 minutes'),
      Period: 5400,
      EvaluationPeriods: 3,
    });
  });

  it('go off when the reaper crashes or its calls fail, but not for one bad quarter of an hour', () => {
    has('mngr-task-reaper-failing', {
      EvaluationPeriods: 3,
      DatapointsToAlarm: 2,
      Threshold: 1,
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: 'FILL(crashes, 0) + FILL(failedCalls, 0)' }),
        Match.objectLike({
          Id: 'crashes',
          ReturnData: false,
          MetricStat: Match.objectLike({ Metric: Match.objectLike({ Namespace: 'AWS/Lambda', MetricName: 'Errors' }) }),
        }),
        Match.objectLike({
          Id: 'failedCalls',
          ReturnData: false,
          MetricStat: Match.objectLike({ Metric: Match.objectLike({ MetricName: 'ReaperErrors' }) }),
        }),
      ]),
    });
  });

  it('go off when several hosts fail to start', () => {
    has('mngr-task-start-failures', {
      MetricName: 'HostStartFailures',
      Statistic: 'Sum',
      Period: 900,
      Threshold: 3,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
    });
  });

  it.each([
    ['mngr-task-vcpu-quota', 'Standard/OnDemand'],
    ['mngr-task-spot-vcpu-quota', 'Standard/Spot'],
  ])('go off near the quota as AWS knows it at the time: %s', (name, quota) => {
    has(name, {
      Threshold: 70,
      ComparisonOperator: 'GreaterThanOrEqualToThreshold',
      TreatMissingData: 'notBreaching',
      Metrics: Match.arrayWith([
        Match.objectLike({ Expression: '100 * usage / SERVICE_QUOTA(usage)' }),
        Match.objectLike({
          Id: 'usage',
          MetricStat: Match.objectLike({
            Stat: 'Maximum',
            Metric: {
              Namespace: 'AWS/Usage',
              MetricName: 'ResourceCount',
              Dimensions: Match.arrayWith([
                { Name: 'Class', Value: quota },
                { Name: 'Resource', Value: 'vCPU' },
                { Name: 'Service', Value: 'Fargate' },
                { Name: 'Type', Value: 'Resource' },
              ]),
            },
          }),
        }),
      ]),
    });
  });
});

describe('docs/operating.md', () => {
  const text = readFileSync(join(ROOT, 'docs/operating.md'), 'utf8');
  const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
    ({ Properties }) => Properties as { AlarmName: string; Metrics?: { MetricStat?: object }[] },
  );

  it('says of each alarm what to do', () => {
    const [, section = ''] = /^## The alarms$([\s\S]*?)^## /m.exec(text) ?? [];
    const described = [...section.matchAll(/^### (.*)$/gm)].flatMap(([, heading = '']) => heading.split(', '));

    expect(described.filter((heading) => heading !== 'Test the alarms').sort()).toEqual(
      alarms.map(({ AlarmName }) => AlarmName.replace('mngr-task-', '')).sort(),
    );
  });

  it('counts the metrics that are billed with the alarms', () => {
    const metrics = alarms.reduce(
      (so, { Metrics }) => so + (Metrics?.filter(({ MetricStat }) => MetricStat !== undefined).length ?? 1),
      0,
    );

    expect(metrics).toBe(6);
    expect(text).toContain('0.10 for each metric that an alarm reads: six in all, 0.60');
  });
});
