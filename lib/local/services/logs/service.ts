import * as sdk from '@aws-sdk/client-cloudwatch-logs';
import { AwsError } from '../../wire/aws-error';
import { json11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { Service } from '../service';
import { describeLogGroups, describeLogStreams } from './describe-operations';
import { filterLogEvents, getLogEvents } from './event-operations';
import type { LogsContext } from './context';

/** Amazon CloudWatch Logs: reading what tasks printed. */
export const logsService = (context: LogsContext): Service => ({
  signingName: 'logs',
  protocol: json11,
  targetPrefix: 'Logs_20140328',
  xmlNamespace: '',
  operations: operationsOf(sdk),
  missingMembers: (paths) =>
    new AwsError(
      'InvalidParameterException',
      `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected: ` +
        paths.map((path) => `Value at '${path}' failed to satisfy constraint: Member must not be null`).join('; '),
    ),
  accessDenied: (message) => new AwsError('AccessDeniedException', message),
  handlers: {
    DescribeLogGroups: describeLogGroups(context),
    DescribeLogStreams: describeLogStreams(context),
    GetLogEvents: getLogEvents(context),
    FilterLogEvents: filterLogEvents(context),
  },
});
