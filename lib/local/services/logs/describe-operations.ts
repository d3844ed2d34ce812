import type {
  DescribeLogGroupsRequest,
  DescribeLogGroupsResponse,
  DescribeLogStreamsRequest,
  DescribeLogStreamsResponse,
} from '@aws-sdk/client-cloudwatch-logs';
import { pageOf } from '../paging';
import type { Call } from '../service';
import { groupArn, groupOf, invalidParameter, requireGroup } from './context';
import type { LogsContext } from './context';
import type { LogStream } from './log-store';

/** Logs API: page size of both calls. */
const PAGE = 50;

const invalidToken = (): Error => invalidParameter('The specified nextToken is invalid.');

export const describeLogGroups =
  (context: LogsContext) =>
  (request: DescribeLogGroupsRequest, call: Call): DescribeLogGroupsResponse => {
    call.authorize({ action: 'logs:DescribeLogGroups', resource: groupArn(context, ':log-stream:'), context: {} });
    const { logGroupNamePrefix = '', logGroupNamePattern = '', limit = PAGE, nextToken } = request;
    const groups = context.logs.groups
      .filter(({ name }) => name.startsWith(logGroupNamePrefix) && name.includes(logGroupNamePattern))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1));
    const query = JSON.stringify(['groups', logGroupNamePrefix, logGroupNamePattern]);
    const page = pageOf(groups, limit, nextToken, query, invalidToken);
    return {
      logGroups: page.items.map(({ name, retentionInDays }) => ({
        logGroupName: name,
        arn: `${groupArn(context, name)}:*`,
        logGroupArn: groupArn(context, name),
        creationTime: context.createdAt.getTime(),
        retentionInDays,
        metricFilterCount: 0,
        storedBytes: 0,
        logGroupClass: 'STANDARD',
      })),
      nextToken: page.nextToken,
    };
  };

export const describeLogStreams =
  (context: LogsContext) =>
  async (request: DescribeLogStreamsRequest, call: Call): Promise<DescribeLogStreamsResponse> => {
    const group = groupOf(request);
    call.authorize({ action: 'logs:DescribeLogStreams', resource: `${groupArn(context, group)}:*`, context: {} });
    requireGroup(context, group);
    const { logStreamNamePrefix = '', orderBy = 'LogStreamName', descending, limit = PAGE, nextToken } = request;
    if (logStreamNamePrefix !== '' && orderBy === 'LastEventTime') {
      throw invalidParameter('Cannot order by LastEventTime with a logStreamNamePrefix.');
    }
    const streams = context.logs.streamsOf(group).filter(({ name }) => name.startsWith(logStreamNamePrefix));
    await Promise.all(streams.filter(({ complete }) => !complete).map((stream) => context.logs.read(stream)));
    const ordered = streams.toSorted(orderBy === 'LastEventTime' ? byLastEvent : byName);
    if (descending === true) ordered.reverse();
    const query = JSON.stringify(['streams', group, logStreamNamePrefix, orderBy, descending]);
    const page = pageOf(ordered, limit, nextToken, query, invalidToken);
    return {
      logStreams: page.items.map((stream) => ({
        logStreamName: stream.name,
        arn: `${groupArn(context, group)}:log-stream:${stream.name}`,
        creationTime: stream.createdAt,
        firstEventTimestamp: stream.firstEvent,
        lastEventTimestamp: stream.lastEvent,
        lastIngestionTime: stream.lastIngestion,
        uploadSequenceToken: '0',
        storedBytes: 0,
      })),
      nextToken: page.nextToken,
    };
  };

const byName = (a: LogStream, b: LogStream): number => (a.name < b.name ? -1 : 1);
const byLastEvent = (a: LogStream, b: LogStream): number => (a.lastEvent ?? 0) - (b.lastEvent ?? 0);
