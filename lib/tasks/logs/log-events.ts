import { awsCall } from '../../aws/aws-call';
import { awsErrorOf } from '../../aws/aws-errors';
import { inBatches, mapBounded } from '../../util/bounded';
import type { EcsTasks } from '../ecs-tasks';
import type { LogSource } from './log-sources';

/** Logs API, FilterLogEvents and GetLogEvents. */
const STREAMS_PER_CALL = 100;
const MOST_EVENTS = 10_000;
const CALLS_AT_ONCE = 4;

/** One event of a log. It may have several lines (`awslogs-multiline-pattern`). */
export interface LogEvent {
  readonly source: LogSource;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly message: string;
}

export interface EventRange {
  /** Milliseconds since 1970, both inclusive. Default: all. */
  readonly from?: number;
  readonly until?: number;
  /** CloudWatch Logs' filter pattern. */
  readonly filter?: string;
  readonly signal?: AbortSignal;
}

/** The events of all sources, in the order of their times. */
export async function* readEvents(
  tasks: EcsTasks,
  sources: readonly LogSource[],
  range: EventRange,
): AsyncGenerator<LogEvent> {
  const batches = [...groupsOf(sources).values()].flatMap((group) => inBatches(group, STREAMS_PER_CALL));
  yield* inOrder(batches.map((batch) => batchEvents(tasks, batch, range)));
}

/** The last events of each source, together in order: at most `count` (up to 10,000) of each. */
export async function lastEvents(
  tasks: EcsTasks,
  sources: readonly LogSource[],
  count: number,
  { from, until, signal }: EventRange,
): Promise<LogEvent[]> {
  const found = await mapBounded(sources, CALLS_AT_ONCE, async (source) => {
    const answer = await orAbsent(async () => {
      const logs = await tasks.clientsIn(source.region).logs();
      const input = {
        logGroupName: source.group,
        logStreamName: source.stream,
        startFromHead: false,
        limit: Math.min(Math.max(count, 1), MOST_EVENTS),
        startTime: from,
        // Exclusive here.
        endTime: until === undefined ? undefined : until + 1,
      };
      return awsCall(`read log ${source.group}`, (abortSignal) => logs.getLogEvents(input, abortSignal), signal);
    });
    return (answer?.events ?? []).map(({ timestamp = 0, message = '' }) => ({ source, timestamp, message }));
  });
  return found.flat().sort((one, other) => one.timestamp - other.timestamp);
}

const groupsOf = (sources: readonly LogSource[]): Map<string, LogSource[]> => {
  const groups = new Map<string, LogSource[]>();
  for (const source of sources) {
    const key = `${source.region} ${source.group}`;
    groups.set(key, [...(groups.get(key) ?? []), source]);
  }
  return groups;
};

/** The events of streams of one group. */
async function* batchEvents(
  tasks: EcsTasks,
  batch: readonly LogSource[],
  { from, until, filter, signal }: EventRange,
): AsyncGenerator<LogEvent> {
  const [first] = batch;
  if (first === undefined) return;
  const { region, group } = first;
  const ofStream = new Map(batch.map((source) => [source.stream, source]));
  const logs = await tasks.clientsIn(region).logs();
  let nextToken: string | undefined;
  do {
    const input = {
      logGroupName: group,
      logStreamNames: batch.map(({ stream }) => stream),
      startTime: from,
      endTime: until,
      filterPattern: filter,
      nextToken,
    };
    const page = await orAbsent(() =>
      awsCall(`read log ${group}`, (abortSignal) => logs.filterLogEvents(input, abortSignal), signal),
    );
    if (page === undefined) {
      // One of the streams isn't there yet, and the answer doesn't say which: a container's first line creates its stream.
      if (batch.length > 1) {
        const halves = inBatches(batch, Math.ceil(batch.length / 2));
        yield* inOrder(halves.map((half) => batchEvents(tasks, half, { from, until, filter, signal })));
      }
      return;
    }
    for (const { logStreamName = '', timestamp = 0, message = '' } of page.events ?? []) {
      const source = ofStream.get(logStreamName);
      if (source !== undefined) yield { source, timestamp, message };
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}

/** Merges what is in order already. */
async function* inOrder(parts: readonly AsyncGenerator<LogEvent>[]): AsyncGenerator<LogEvent> {
  const [only] = parts;
  if (only !== undefined && parts.length === 1) {
    yield* only;
    return;
  }
  const heads = await Promise.all(parts.map((part) => part.next()));
  for (;;) {
    let least: { readonly index: number; readonly event: LogEvent } | undefined;
    for (const [index, head] of heads.entries()) {
      if (head.done === true) continue;
      if (least === undefined || head.value.timestamp < least.event.timestamp) least = { index, event: head.value };
    }
    if (least === undefined) return;
    yield least.event;
    heads[least.index] = await (parts[least.index] as AsyncGenerator<LogEvent>).next();
  }
}

/** Undefined where the stream or the group doesn't exist. */
async function orAbsent<Answer>(call: () => Promise<Answer>): Promise<Answer | undefined> {
  try {
    return await call();
  } catch (error) {
    if (awsErrorOf(error)?.name === 'ResourceNotFoundException') return undefined;
    throw error;
  }
}
