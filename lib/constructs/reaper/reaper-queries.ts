import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import { QueryDefinition, QueryString } from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { LOG_EVENTS } from '../../contract/log-events';

export interface ReaperQueriesProps {
  /** Task definition family of the hosts; becomes the queries' folder. */
  readonly family: string;

  /** Where the reaper writes. */
  readonly logGroup: ILogGroup;
}

const named = (...notices: readonly string[]): string =>
  `notice in [${notices.map((notice) => JSON.stringify(notice)).join(', ')}]`;

/** Queries of Logs Insights by name: questions about hosts that no longer exist. */
const QUERIES: Readonly<Record<string, QueryString>> = {
  'what the reaper stopped': new QueryString({
    fields: ['@timestamp', 'notice', 'reason', 'host', 'provider', 'because', 'error', 'taskArn'],
    filterStatements: [named(LOG_EVENTS.stopped, LOG_EVENTS.wouldStop, LOG_EVENTS.stopFailed, LOG_EVENTS.spared)],
    sort: '@timestamp desc',
    limit: 500,
  }),
  'what is odd': new QueryString({
    filterStatements: [named(LOG_EVENTS.reported)],
    statsStatements: ['max(@timestamp) as seen, count(*) as times by reason, host, because, taskArn'],
    sort: 'seen desc',
  }),
  'how hosts ended': new QueryString({
    filterStatements: [named(LOG_EVENTS.hostEnded, LOG_EVENTS.hostStartFailed)],
    statsStatements: ['count(*) as hosts by bin(1d) as day, reason'],
    sort: 'day desc',
  }),
  'hosts that failed to start': new QueryString({
    fields: ['@timestamp', 'startedBy', 'reason', 'exitCode', 'stopCode', 'stoppedReason', 'taskArn'],
    filterStatements: [named(LOG_EVENTS.hostStartFailed)],
    sort: '@timestamp desc',
    limit: 200,
  }),
  'how long hosts take to start': new QueryString({
    filterStatements: [named(LOG_EVENTS.hostStarted)],
    statsStatements: [
      'count(*) as hosts, pct(milliseconds, 50) as p50, pct(milliseconds, 95) as p95, max(milliseconds) as slowest by bin(1h) as hour',
    ],
    sort: 'hour desc',
  }),
  'runs and leftovers': new QueryString({
    fields: ['@timestamp', 'notice', 'complete', 'hosts', 'errors', 'kind', 'id', 'because', 'error'],
    filterStatements: [
      named(
        LOG_EVENTS.run,
        LOG_EVENTS.callFailed,
        LOG_EVENTS.leftoverRemoved,
        LOG_EVENTS.leftoverWouldGo,
        LOG_EVENTS.leftoverFailed,
        LOG_EVENTS.leftoversSkipped,
      ),
    ],
    sort: '@timestamp desc',
    limit: 500,
  }),
};

/** Saved queries of CloudWatch Logs Insights, in a folder of the environment's own. They cost nothing until they are run. */
export class ReaperQueries extends Construct {
  constructor(scope: Construct, id: string, { family, logGroup }: ReaperQueriesProps) {
    super(scope, id);
    for (const [name, queryString] of Object.entries(QUERIES)) {
      new QueryDefinition(this, name.replaceAll(' ', ''), {
        queryDefinitionName: `mngr-fargate/${family}/${name}`,
        queryString,
        logGroups: [logGroup],
      });
    }
  }
}
