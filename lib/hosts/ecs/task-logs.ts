import type { GetLogEventsCommandOutput } from '@aws-sdk/client-cloudwatch-logs';
import { MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import { pause } from '../../util/abort';
import { awsCall } from '../../aws/aws-call';
import { awsErrorOf } from '../../aws/aws-errors';
import type { AwsClients } from '../../aws/clients';
import type { TaskDefinitions } from './task-definitions';
import type { LogLine, LogOptions } from '../model/types';

const FOLLOW_INTERVAL_MS = 1000;
/** CloudWatch Logs returns at most this many events at once. */
const MOST_EVENTS = 10_000;

interface LoggingTask {
  readonly taskArn: string;
  readonly taskDefinitionArn: string;
}

interface LogStream {
  readonly logGroupName: string;
  readonly logStreamName: string;
}

/** The agent container's log of a task: awslogs names the stream `<prefix>/<container>/<task id>`. */
export class TaskLogs {
  constructor(
    private readonly clients: AwsClients,
    private readonly config: ProviderConfig,
    private readonly definitions: TaskDefinitions,
  ) {}

  /**
   * Lines, oldest first. With `follow` it continues until `ended` says that no more will come or the signal fires, and
   * neither is an error. Without `follow` it throws `aborted` if the signal fires.
   */
  async *read(
    task: LoggingTask,
    options: LogOptions = {},
    ended: () => Promise<boolean> = () => Promise.resolve(true),
  ): AsyncGenerator<LogLine> {
    try {
      yield* this.lines(task, options, ended);
    } catch (error) {
      if (options.follow !== true || options.signal?.aborted !== true) throw error;
    }
  }

  private async *lines(task: LoggingTask, options: LogOptions, ended: () => Promise<boolean>): AsyncGenerator<LogLine> {
    const { signal, tail, follow = false } = options;
    const stream = await this.streamOf(task.taskArn, task.taskDefinitionArn);
    const since = options.since?.getTime();
    if (tail !== undefined && tail <= 0 && !follow) return;

    let nextToken: string | undefined;
    if (tail !== undefined) {
      const last = await this.page(
        stream,
        { limit: Math.min(Math.max(tail, 1), MOST_EVENTS), startFromHead: false, startTime: since },
        signal,
      );
      yield* linesOf(last).slice(-tail || Infinity);
      nextToken = last?.nextForwardToken;
    }
    let wasOver = false;
    for (;;) {
      // Asked before the page is read, so that the page has everything that was written until the end.
      const isOver = !follow || (await ended());
      let lines = 0;
      // At the end of the stream the token stays the same (CloudWatch Logs API, GetLogEvents).
      for (let atEnd = false; !atEnd;) {
        const page = await this.page(stream, { startFromHead: true, nextToken, startTime: since }, signal);
        const shown = linesOf(page);
        lines += shown.length;
        yield* shown;
        atEnd = page === undefined || page.nextForwardToken === nextToken;
        nextToken = page?.nextForwardToken ?? nextToken;
      }
      // Lines reach CloudWatch a moment after they were written: the stream is drained when it stays silent after the end.
      if (!follow || (wasOver && lines === 0)) return;
      wasOver = isOver;
      await pause(FOLLOW_INTERVAL_MS, 'following a log', signal);
    }
  }

  /** The last lines, for messages about other errors: empty if there is no log or it can't be read. */
  async last(task: LoggingTask, count: number): Promise<string[]> {
    const lines: string[] = [];
    try {
      for await (const { message } of this.read(task, { tail: count, signal: AbortSignal.timeout(5_000) }))
        lines.push(message);
    } catch {
      return lines;
    }
    return lines.slice(-count);
  }

  private async streamOf(taskArn: string, taskDefinitionArn: string): Promise<LogStream> {
    const definition = await this.definitions.describe(taskDefinitionArn);
    const { container_name: name } = this.config;
    const container = definition.containerDefinitions?.find((candidate) => candidate.name === name);
    const options = container?.logConfiguration?.options ?? {};
    const logGroupName = this.config.log_group ?? options['awslogs-group'];
    const prefix = options['awslogs-stream-prefix'];
    if (container?.logConfiguration?.logDriver !== 'awslogs' || logGroupName === undefined || prefix === undefined) {
      throw new MngrFargateError(
        'failed',
        `container ${name} of ${taskDefinitionArn} does not log to CloudWatch with a stream prefix`,
      );
    }
    return { logGroupName, logStreamName: `${prefix}/${name}/${taskArn.split('/').pop()}` };
  }

  /** Undefined while the stream doesn't exist: the container's first line creates it. */
  private async page(
    stream: LogStream,
    options: { limit?: number; startFromHead: boolean; nextToken?: string; startTime?: number },
    signal?: AbortSignal,
  ): Promise<GetLogEventsCommandOutput | undefined> {
    try {
      const logs = await this.clients.logs();
      const read = (abortSignal?: AbortSignal) => logs.getLogEvents({ ...stream, ...options }, abortSignal);
      return await awsCall(`read log ${stream.logGroupName}`, read, signal);
    } catch (error) {
      if (awsErrorOf(error)?.name === 'ResourceNotFoundException') return undefined;
      throw error;
    }
  }
}

const linesOf = (page: GetLogEventsCommandOutput | undefined): LogLine[] =>
  (page?.events ?? []).map(({ timestamp, message }) => ({
    timestamp: new Date(timestamp ?? 0).toISOString(),
    message: message ?? '',
  }));
