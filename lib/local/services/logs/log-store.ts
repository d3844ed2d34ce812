import { appendFile, mkdir, readFile } from 'node:fs/promises';
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { Collection, Store } from '../../state/store';
import { resourcesOfType } from '../../template/stack';
import type { World } from '../../world';

export interface LogEvent {
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly message: string;
  readonly ingestionTime: number;
}

export interface LogStream {
  readonly group: string;
  readonly name: string;
  readonly createdAt: number;
  /** The task whose output it holds. */
  readonly taskId: string;
  /** Bytes of the runtime's log that have been read. */
  offset: number;
  firstEvent?: number;
  lastEvent?: number;
  lastIngestion?: number;
  /** True once the runtime has nothing more to give. */
  complete: boolean;
}

/** Reads what a task printed from an offset on. */
export type LogSource = (
  taskId: string,
  fromOffset: number,
) => Promise<{ lines: { at: Date; message: string }[]; offset: number }>;

const keyOf = (group: string, name: string): string => `${group}\n${name}`;

/** Log groups and streams. Events are read from the runtime on each request, and once more when a task ends. */
export class LogStore {
  private readonly streams: Collection<LogStream>;
  private readonly events = new Map<string, LogEvent[]>();
  private readonly busy = new Map<string, Promise<void>>();

  constructor(
    store: Store,
    readonly groups: readonly { readonly name: string; readonly retentionInDays?: number }[],
    private readonly source: LogSource,
    private readonly directory: string | undefined,
  ) {
    this.streams = store.collection<LogStream>('logStreams');
  }

  hasGroup(name: string): boolean {
    return this.groups.some((group) => group.name === name);
  }

  /** A stream for a task that is about to print. */
  open(group: string, name: string, taskId: string, now: Date): void {
    if (this.streams.get(keyOf(group, name)) !== undefined) return;
    this.streams.set(keyOf(group, name), {
      group,
      name,
      taskId,
      createdAt: now.getTime(),
      offset: 0,
      complete: false,
    });
  }

  /** Adds lines to a stream that don't come from a task's output: one event each, all with the same time. */
  async append(group: string, name: string, lines: readonly string[], now: Date): Promise<void> {
    this.open(group, name, '', now);
    const stream = this.stream(group, name) as LogStream;
    stream.complete = true;
    const timestamp = now.getTime();
    const ingestionTime = Date.now();
    const added = lines.map((message) => ({ timestamp, message, ingestionTime }));
    (await this.loaded(stream, keyOf(group, name))).push(...added);
    await this.persist(stream, added);
    stream.offset += added.length;
    stream.firstEvent ??= timestamp;
    stream.lastEvent = timestamp;
    stream.lastIngestion = ingestionTime;
    this.streams.set(keyOf(group, name), stream);
  }

  stream(group: string, name: string): LogStream | undefined {
    return this.streams.get(keyOf(group, name));
  }

  streamsOf(group: string): LogStream[] {
    return [...this.streams.values()].filter((stream) => stream.group === group);
  }

  /** Every event of a stream up to now, oldest first. */
  async read(stream: LogStream): Promise<readonly LogEvent[]> {
    await this.take(stream);
    return this.events.get(keyOf(stream.group, stream.name)) ?? [];
  }

  /** Reads what is left of a task's output before the runtime deletes it. */
  async complete(taskId: string): Promise<void> {
    for (const stream of this.streams.values()) {
      if (stream.taskId !== taskId || stream.complete) continue;
      await this.take(stream);
      stream.complete = true;
      this.streams.set(keyOf(stream.group, stream.name), stream);
    }
  }

  /** One reader at a time for a stream, so that no event is taken twice. */
  private async take(stream: LogStream): Promise<void> {
    const key = keyOf(stream.group, stream.name);
    const previous = this.busy.get(key) ?? Promise.resolve();
    const next = previous.then(() => this.takeNow(stream, key));
    this.busy.set(
      key,
      next.catch(() => undefined),
    );
    await next;
  }

  private async takeNow(stream: LogStream, key: string): Promise<void> {
    const events = await this.loaded(stream, key);
    if (stream.complete) return;
    const { lines, offset } = await this.source(stream.taskId, stream.offset);
    if (lines.length === 0) return;
    const ingestionTime = Date.now();
    const added = lines.map(({ at, message }) => ({ timestamp: at.getTime(), message, ingestionTime }));
    events.push(...added);
    await this.persist(stream, added);
    stream.offset = offset;
    stream.firstEvent ??= added[0]?.timestamp;
    stream.lastEvent = added.at(-1)?.timestamp;
    stream.lastIngestion = ingestionTime;
    this.streams.set(key, stream);
  }

  private async loaded(stream: LogStream, key: string): Promise<LogEvent[]> {
    const known = this.events.get(key);
    if (known !== undefined) return known;
    const events = await this.load(stream);
    this.events.set(key, events);
    return events;
  }

  private fileOf(stream: LogStream): string | undefined {
    if (this.directory === undefined) return undefined;
    const name = createHash('sha256').update(keyOf(stream.group, stream.name)).digest('hex').slice(0, 40);
    return join(this.directory, `${name}.jsonl`);
  }

  private async load(stream: LogStream): Promise<LogEvent[]> {
    const file = this.fileOf(stream);
    if (file === undefined || stream.offset === 0) return [];
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.split('\n').flatMap((line) => {
      try {
        return line === '' ? [] : [JSON.parse(line) as LogEvent];
      } catch {
        return [];
      }
    });
  }

  private async persist(stream: LogStream, events: readonly LogEvent[]): Promise<void> {
    const file = this.fileOf(stream);
    if (file === undefined || this.directory === undefined) return;
    await mkdir(this.directory, { recursive: true, mode: 0o700 });
    await appendFile(file, events.map((event) => `${JSON.stringify(event)}\n`).join(''), { mode: 0o600 });
  }
}

/** The template's log groups, with what the runtime's tasks print. */
export const logStore = ({ store, stack, runtime, stateDirectory }: World): LogStore =>
  new LogStore(
    store,
    resourcesOfType(stack, 'AWS::Logs::LogGroup').map(({ physicalId, properties }) => ({
      name: physicalId,
      retentionInDays: properties.RetentionInDays as number | undefined,
    })),
    (taskId, fromOffset) => runtime.readLogs(taskId, fromOffset),
    stateDirectory === undefined ? undefined : join(stateDirectory, 'logs'),
  );
