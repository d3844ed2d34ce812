import { RetentionDays } from 'aws-cdk-lib/aws-logs';

/** Periods that CloudWatch Logs offers, in days. 9999 is the CDK's value for "forever", which is not offered here. */
export const LOG_RETENTION_DAYS: readonly number[] = Object.values(RetentionDays)
  .filter((value): value is RetentionDays => typeof value === 'number' && value !== RetentionDays.INFINITE)
  .sort((a, b) => a - b);
