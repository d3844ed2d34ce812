import type { Stack } from 'aws-cdk-lib';
import { Topic } from 'aws-cdk-lib/aws-sns';
import type * as z from 'zod';
import type { OperationsOptions } from '../constructs/operations/operations';
import { flag, listOf, textLike, wholeNumber } from './context-values';

/** Context keys of an environment's monitoring, in the order of docs/configuration.md. */
export const OPERATIONS_SETTINGS = {
  alarmEmail: listOf(textLike(/^[^\s@,]+@[^\s@,]+\.[^\s@,.]+$/, 'an e-mail address')),
  alarmTopicArn: textLike(
    /^arn:[\w-]+:sns:[a-z0-9-]+:\d{12}:[\w-]+$/,
    'the ARN of a standard SNS topic: use arn:aws:sns:REGION:ACCOUNT:NAME',
  ),
  alarms: flag,
  quotaAlarmPercent: wholeNumber(1, 100),
  monthlyBudgetUsd: wholeNumber(1, 1_000_000_000),
  budgetTag: textLike(/^[^=$]+=[^$]+$/, 'a tag: use KEY=VALUE'),
  dashboard: flag,
} as const;

export type OperationsSettings = {
  readonly [Key in keyof typeof OPERATIONS_SETTINGS]?: z.output<(typeof OPERATIONS_SETTINGS)[Key]>;
};

/** Problems of these settings with each other and with the reaper; each line starts with the key that it is about. */
export function* operationsContradictions(
  settings: OperationsSettings & { readonly reaper?: boolean },
): Generator<string> {
  const { alarmEmail, alarmTopicArn, monthlyBudgetUsd, dashboard, reaper } = settings;
  const told = (['alarmEmail', 'alarmTopicArn'] as const).filter((key) => settings[key] !== undefined);
  const alarms = settings.alarms ?? told.length > 0;
  if (alarmEmail !== undefined && alarmTopicArn !== undefined) {
    yield 'alarmEmail: has no effect together with alarmTopicArn: leave one of them out';
  }
  if (!alarms && monthlyBudgetUsd === undefined) {
    for (const key of told) yield `${key}: has no effect with alarms=false and without monthlyBudgetUsd: leave it out`;
  }
  if (monthlyBudgetUsd !== undefined && !alarms && told.length === 0) {
    yield 'monthlyBudgetUsd: needs someone to notify: give alarmEmail or alarmTopicArn';
  }
  if (settings.budgetTag !== undefined && monthlyBudgetUsd === undefined) {
    yield 'budgetTag: has no effect without monthlyBudgetUsd';
  }
  if (settings.quotaAlarmPercent !== undefined && !alarms) {
    yield 'quotaAlarmPercent: has no effect without alarms: give alarmEmail or alarmTopicArn';
  }
  if (reaper === false && (alarms || dashboard === true)) {
    yield `${alarms ? 'alarms' : 'dashboard'}: has no effect with reaper=false, as the reaper writes the metrics`;
  }
}

/** The construct's options for these settings. A topic that exists is imported into the stack. */
export function operationsOptionsOf(stack: Stack, settings: OperationsSettings): OperationsOptions {
  const { alarmTopicArn, budgetTag } = settings;
  return {
    dashboard: settings.dashboard,
    alarms: settings.alarms,
    alarmEmails: settings.alarmEmail,
    alarmTopic:
      alarmTopicArn === undefined ? undefined : Topic.fromTopicArn(stack, 'ExistingAlarmTopic', alarmTopicArn),
    quotaAlarmPercent: settings.quotaAlarmPercent,
    monthlyBudgetUsd: settings.monthlyBudgetUsd,
    budgetTag: budgetTag === undefined ? undefined : tagOf(budgetTag),
  };
}

function tagOf(pair: string): { key: string; value: string } {
  const equals = pair.indexOf('=');
  return { key: pair.slice(0, equals), value: pair.slice(equals + 1) };
}
