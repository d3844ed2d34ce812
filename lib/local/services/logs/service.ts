import * as sdk from '@aws-sdk/client-cloudwatch-logs';
import { AwsError } from '../../wire/aws-error';
import { awsJson11 } from '../../wire/json';
import { operationsOf } from '../../wire/schemas';
import type { World } from '../../world';
import { deployment } from '../cloudformation/deployment';
import type { Service } from '../service';
import { describeLogGroups, describeLogStreams } from './describe-operations';
import { filterLogEvents, getLogEvents } from './event-operations';
import { invalidParameter } from './context';
import type { LogsContext } from './context';
import { logStore } from './log-store';

/** Amazon CloudWatch Logs: reading what tasks printed. */
export function logsService(world: World): Service {
  const context: LogsContext = {
    logs: world.part(logStore),
    place: world.place,
    createdAt: world.part(deployment).createdAt,
  };
  return {
    signingName: 'logs',
    protocol: awsJson11({ targetPrefix: 'Logs_20140328' }),
    operations: operationsOf(sdk),
    errors: {
      missingMembers: (paths) =>
        invalidParameter(
          `${paths.length} validation error${paths.length === 1 ? '' : 's'} detected: ` +
            paths.map((path) => `Value at '${path}' failed to satisfy constraint: Member must not be null`).join('; '),
        ),
      accessDenied: (message) => new AwsError('AccessDeniedException', message),
      throttled: () => new AwsError('ThrottlingException', 'Rate exceeded'),
    },
    handlers: {
      DescribeLogGroups: describeLogGroups(context),
      DescribeLogStreams: describeLogStreams(context),
      GetLogEvents: getLogEvents(context),
      FilterLogEvents: filterLogEvents(context),
    },
  };
}
