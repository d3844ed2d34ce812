import { pause } from '../../util/abort';
import type { EcsTasks } from '../ecs-tasks';
import { findTasks, nothingRuns } from '../find';
import type { TaskSummary } from '../model';
import { isLive } from '../model';
import type { TaskSelector } from '../selector';
import type { EventRange, LogEvent } from './log-events';
import { lastEvents, readEvents } from './log-events';
import type { LogSource } from './log-sources';
import { logSources } from './log-sources';
import { Repeats } from './repeats';

const FOLLOW_INTERVAL_MS = 1000;
/** Looks between two searches for tasks that a service has started meanwhile. */
const LOOKS_PER_SEARCH = 10;
/** Events may reach CloudWatch Logs this much later than newer ones of another stream. Milliseconds. */
const LATE_MS = 10_000;
/** Events after which those that won't be read again are forgotten. */
const EVENTS_PER_SWEEP = 10_000;
/** The most last events that one call returns. */
const MOST_LAST = 10_000;

export interface TaskLogOptions {
  readonly follow?: boolean;
  readonly since?: Date;
  readonly until?: Date;
  /** Only this many last events of all together. Default: all. */
  readonly tail?: number;
  /** CloudWatch Logs' filter pattern. */
  readonly filter?: string;
  /** The last task that stopped, instead of those that run. */
  readonly previous?: boolean;
  /** The newest task alone. */
  readonly newest?: boolean;
  readonly signal?: AbortSignal;
  /** Log group to read instead of the one in the task definition. */
  readonly group?: string;
  /** Called with the number of containers whose logs are read, before their first line and whenever it changes. */
  readonly onSources?: (count: number) => void;
  /** Called with containers whose logs can't be read here. */
  readonly onUnread?: (reason: string) => void;
}

/** One event, with the container that wrote it. */
export interface TaskLogLine {
  /** ISO 8601. */
  readonly timestamp: string;
  /** May have several lines. */
  readonly message: string;
  /** Id of the task. */
  readonly task: string;
  /** Name of the container. */
  readonly container: string;
  readonly service: string | null;
}

/**
 * What the containers of all tasks that a selector names have written, in the order of time. With `follow` it goes on until
 * a task that was named has ended, or the signal fires; a service's new tasks are read too. Throws `not-found` or
 * `task-stopped` where nothing runs.
 */
export async function* taskLogs(
  tasks: EcsTasks,
  selector: TaskSelector,
  options: TaskLogOptions = {},
): AsyncGenerator<TaskLogLine> {
  const { since, until, filter, signal, follow = false, tail } = options;
  let found = await logTasks(tasks, selector, options);
  let sources = await sourcesOf(tasks, found, selector, options);
  const range: EventRange = { from: since?.getTime(), until: until?.getTime(), filter, signal };
  const repeats = new Repeats();
  let last = range.from ?? 0;

  const first =
    tail === undefined ? readEvents(tasks, sources, range) : tailOf(tasks, sources, tail, { range, repeats });
  let read = 0;
  for await (const event of first) {
    if (follow && tail === undefined) {
      repeats.isNew(event);
      // Only what will be read again has to be known.
      read += 1;
      if (read % EVENTS_PER_SWEEP === 0) repeats.begin(event.timestamp - LATE_MS);
    }
    last = Math.max(last, event.timestamp);
    yield lineOf(event);
  }
  if (!follow) return;

  let wasOver = false;
  for (let look = 1; ; look += 1) {
    await pause(FOLLOW_INTERVAL_MS, 'following a log', signal);
    const isNamed = selector.task !== undefined || options.previous === true;
    if (isNamed || look % LOOKS_PER_SEARCH === 0) {
      found = await logTasks(tasks, selector, options).catch(() => found);
      sources = await sourcesOf(tasks, found, selector, options);
    }
    // Asked before the events are read, so that they have everything that was written until the end.
    const isOver = isNamed && !found.some(isLive);
    const from = Math.max(range.from ?? 0, last - LATE_MS);
    repeats.begin(from);
    let events = 0;
    for await (const event of readEvents(tasks, sources, { ...range, from })) {
      if (!repeats.isNew(event)) continue;
      events += 1;
      last = Math.max(last, event.timestamp);
      yield lineOf(event);
    }
    if (wasOver && events === 0) return;
    wasOver = isOver;
  }
}

async function sourcesOf(
  tasks: EcsTasks,
  found: readonly TaskSummary[],
  { container }: TaskSelector,
  { group, signal, onUnread, onSources }: TaskLogOptions,
): Promise<readonly LogSource[]> {
  const { sources, unread } = await logSources(tasks, found, { container, signal });
  unread.forEach((reason) => onUnread?.(reason));
  onSources?.(sources.length);
  return group === undefined ? sources : sources.map((source) => ({ ...source, group }));
}

/** The tasks whose logs are meant. */
async function logTasks(tasks: EcsTasks, selector: TaskSelector, options: TaskLogOptions): Promise<TaskSummary[]> {
  const { previous = false, newest = false, since, until, signal } = options;
  // What stopped within the time that is asked for belongs to it.
  const stopped = previous || since !== undefined || until !== undefined;
  const found = await findTasks(tasks, selector, { stopped, signal });
  const wanted = previous
    ? found.filter((task) => !isLive(task)).slice(0, 1)
    : selector.task !== undefined || stopped
      ? found
      : found.filter(isLive);
  if (wanted.length === 0) throw await nothingRuns(tasks, selector, signal);
  return newest ? wanted.slice(0, 1) : wanted;
}

/** The last events of all sources together. All that were looked at count as read. */
async function* tailOf(
  tasks: EcsTasks,
  sources: readonly LogSource[],
  tail: number,
  { range, repeats }: { readonly range: EventRange; readonly repeats: Repeats },
): AsyncGenerator<LogEvent> {
  let kept: LogEvent[] = [];
  if (range.filter === undefined && tail <= MOST_LAST) {
    const last = await lastEvents(tasks, sources, tail, range);
    last.forEach((event) => repeats.isNew(event));
    kept = last.slice(-tail || Infinity);
  } else {
    for await (const event of readEvents(tasks, sources, range)) {
      repeats.isNew(event);
      kept.push(event);
      if (kept.length > 2 * tail) kept = kept.slice(-tail || Infinity);
    }
    kept = kept.slice(-tail || Infinity);
  }
  yield* kept;
}

const lineOf = ({ source, timestamp, message }: LogEvent): TaskLogLine => ({
  timestamp: new Date(timestamp).toISOString(),
  message,
  task: source.task.taskId,
  container: source.container,
  service: source.task.service,
});
