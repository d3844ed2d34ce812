import {
  CloudWatchLogsClient,
  DescribeLogGroupsCommand,
  FilterLogEventsCommand,
  GetLogEventsCommand,
} from '@aws-sdk/client-cloudwatch-logs';
import type {
  CloudWatchLogsClientConfig,
  FilterLogEventsCommandInput,
  FilterLogEventsCommandOutput,
  GetLogEventsCommandInput,
  GetLogEventsCommandOutput,
  LogGroup,
} from '@aws-sdk/client-cloudwatch-logs';

/** The calls to CloudWatch Logs. A module of its own, loaded by the first command that reads a log. */
export class LogsApi {
  private readonly client: CloudWatchLogsClient;

  constructor(options: CloudWatchLogsClientConfig) {
    this.client = new CloudWatchLogsClient(options);
  }

  getLogEvents(input: GetLogEventsCommandInput, abortSignal?: AbortSignal): Promise<GetLogEventsCommandOutput> {
    return this.client.send(new GetLogEventsCommand(input), { abortSignal });
  }

  filterLogEvents(
    input: FilterLogEventsCommandInput,
    abortSignal?: AbortSignal,
  ): Promise<FilterLogEventsCommandOutput> {
    return this.client.send(new FilterLogEventsCommand(input), { abortSignal });
  }

  /** A log group by its whole name; undefined where there is none. */
  async describeLogGroup(name: string, abortSignal?: AbortSignal): Promise<LogGroup | undefined> {
    const command = new DescribeLogGroupsCommand({ logGroupNamePrefix: name });
    const { logGroups = [] } = await this.client.send(command, { abortSignal });
    return logGroups.find(({ logGroupName }) => logGroupName === name);
  }

  destroy(): void {
    this.client.destroy();
  }
}
