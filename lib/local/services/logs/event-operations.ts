import type {
  FilterLogEventsRequest,
  FilterLogEventsResponse,
  GetLogEventsRequest,
  GetLogEventsResponse,
} from '@aws-sdk/client-cloudwatch-logs';
import { AwsError } from '../../wire/aws-error';
import { pageOf } from '../paging';
import type { Call } from '../service';
import { groupArn, groupOf, invalidParameter, requireGroup } from './context';
import type { LogsContext } from './context';
import { filterPattern } from './filter-pattern';
import type { LogEvent } from './log-store';

/** Logs API: events in one answer. */
const MAX_EVENTS = 10_000;

interface TimeRange {
  readonly startTime?: number;
  readonly endTime?: number;
}

/** GetLogEvents' end is exclusive, FilterLogEvents' inclusive (Logs API). */
const within = ({ startTime = 0, endTime = Infinity }: TimeRange, inclusive: boolean) => {
  const end = inclusive ? endTime : endTime - 1;
  return ({ timestamp }: LogEvent): boolean => timestamp >= startTime && timestamp <= end;
};

/** Logs API, FilterLogEvents: names of streams in one call. */
const MAX_STREAMS = 100;

/** Throws as AWS does for a name that no stream has; it doesn't say which. */
function requireStreams({ logs }: LogsContext, group: string, names: readonly string[]): void {
  if (names.length > MAX_STREAMS) {
    throw invalidParameter(`at most ${MAX_STREAMS} logStreamNames are allowed, not ${names.length}`);
  }
  if (names.every((name) => logs.stream(group, name) !== undefined)) return;
  throw noSuchStream();
}

const noSuchStream = (): AwsError =>
  new AwsError('ResourceNotFoundException', 'The specified log stream does not exist.');

/** Tokens of GetLogEvents contain a direction and a position among all of the stream's events. */
const TOKEN = /^([fb])\/(\d{1,15})$/;

const limitOf = (limit: number | undefined): number => {
  if (limit === undefined) return MAX_EVENTS;
  if (Number.isInteger(limit) && limit >= 1 && limit <= MAX_EVENTS) return limit;
  throw invalidParameter(`limit must be between 1 and ${MAX_EVENTS}, not ${limit}`);
};

export const getLogEvents =
  (context: LogsContext) =>
  async (request: GetLogEventsRequest, call: Call): Promise<GetLogEventsResponse> => {
    const group = groupOf(request);
    const name = request.logStreamName ?? '';
    call.authorize({
      action: 'logs:GetLogEvents',
      resource: `${groupArn(context, group)}:log-stream:${name}`,
      context: {},
    });
    requireGroup(context, group);
    const stream = context.logs.stream(group, name);
    if (stream === undefined) throw noSuchStream();
    const limit = limitOf(request.limit);
    const events = (await context.logs.read(stream)).filter(within(request, false));
    const { start, end } = windowOf(request, events.length, limit);
    return {
      events: events.slice(start, end),
      // The forward token of the end is the same each time: that is how callers know they are there.
      nextForwardToken: `f/${end}`,
      nextBackwardToken: `b/${start}`,
    };
  };

function windowOf(
  { nextToken, startFromHead }: GetLogEventsRequest,
  count: number,
  limit: number,
): { readonly start: number; readonly end: number } {
  if (nextToken === undefined) {
    return startFromHead === true
      ? { start: 0, end: Math.min(count, limit) }
      : { start: Math.max(0, count - limit), end: count };
  }
  const match = TOKEN.exec(nextToken);
  if (match === null) throw invalidParameter('The specified nextToken is invalid.');
  const position = Math.min(Number(match[2]), count);
  return match[1] === 'f'
    ? { start: position, end: Math.min(count, position + limit) }
    : { start: Math.max(0, position - limit), end: position };
}

export const filterLogEvents =
  (context: LogsContext) =>
  async (request: FilterLogEventsRequest, call: Call): Promise<FilterLogEventsResponse> => {
    const group = groupOf(request);
    call.authorize({ action: 'logs:FilterLogEvents', resource: `${groupArn(context, group)}:*`, context: {} });
    requireGroup(context, group);
    const { logStreamNames = [], logStreamNamePrefix, filterPattern: pattern = '', nextToken } = request;
    if (logStreamNames.length > 0 && logStreamNamePrefix !== undefined) {
      throw invalidParameter('logStreamNamePrefix and logStreamNames are mutually exclusive parameters.');
    }
    const limit = limitOf(request.limit);
    requireStreams(context, group, logStreamNames);
    const streams = context.logs
      .streamsOf(group)
      .filter(({ name }) => logStreamNames.length === 0 || logStreamNames.includes(name))
      .filter(({ name }) => logStreamNamePrefix === undefined || name.startsWith(logStreamNamePrefix));
    const matches = filterPattern(pattern);
    const inRange = within(request, true);
    const found = await Promise.all(
      streams.map(async (stream) => {
        const events = await context.logs.read(stream);
        return events
          .map((event, index) => ({ event, stream, id: `${stream.createdAt}${String(index).padStart(12, '0')}` }))
          .filter(({ event }) => inRange(event));
      }),
    );
    const candidates = found.flat().sort((a, b) => a.event.timestamp - b.event.timestamp);
    const passing = await matches(candidates.map(({ event }) => event.message));
    const ordered = candidates.filter((_, index) => passing[index] === true);
    const query = JSON.stringify([group, logStreamNames, logStreamNamePrefix, pattern, request.startTime]);
    const page = pageOf(ordered, limit, nextToken, query, () =>
      invalidParameter('The specified nextToken is invalid.'),
    );
    return {
      events: page.items.map(({ event, stream, id }) => ({ ...event, logStreamName: stream.name, eventId: id })),
      searchedLogStreams: [],
      nextToken: page.nextToken,
    };
  };
