import { DescribeClustersCommand } from '@aws-sdk/client-ecs';
import type { ExecuteCommandConfiguration } from '@aws-sdk/client-ecs';
import { awsCall } from '../../aws/aws-call';
import { isMngrFargateError } from '../../contract/errors';
import type { EcsTasks } from '../ecs-tasks';
import type { TaskSummary } from '../model';
import type { Unseen } from './unseen';

/** What the names of ECS Exec's sessions begin with, and so those of the log streams of their transcripts. */
const SESSION_PREFIX = 'ecs-execute-command-';
/** Characters of one transcript that are kept. */
const MOST_SHOWN = 1024 * 1024;

export interface Transcript {
  readonly at: Date;
  readonly text: string;
}

export interface Transcripts {
  readonly bySession: ReadonlyMap<string, Transcript>;
  readonly unseen: readonly Unseen[];
}

interface Wanted {
  /** Name or ARN. */
  readonly cluster: string;
  readonly from: Date;
  readonly signal?: AbortSignal;
  /** The tasks that ECS still shows; asked only where transcripts are in the logs of containers. */
  readonly known: () => Promise<readonly TaskSummary[]>;
}

/** What sessions with a cluster's tasks showed, from the log group that the cluster's configuration names. */
export async function transcripts(tasks: EcsTasks, wanted: Wanted): Promise<Transcripts> {
  const bySession = new Map<string, Transcript>();
  const unseen: Unseen[] = [];
  try {
    const { groups, elsewhere } = await auditPlaces(tasks, wanted);
    unseen.push(...elsewhere);
    for (const group of groups) await readGroup(tasks, group, wanted, bySession);
  } catch (error) {
    if (!isMngrFargateError(error) || error.code === 'aborted') throw error;
    const hint =
      error.code === 'denied'
        ? 'allow ecs:DescribeClusters, and logs:FilterLogEvents on the audit log group'
        : error.hint;
    unseen.push({ what: `what was done in sessions (${error.message})`, hint });
  }
  return { bySession, unseen };
}

/** The log groups that have transcripts, and what is elsewhere or nowhere. */
async function auditPlaces(
  tasks: EcsTasks,
  wanted: Wanted,
): Promise<{ readonly groups: readonly string[]; readonly elsewhere: readonly Unseen[] }> {
  const { logging = 'DEFAULT', logConfiguration = {} } = (await execConfiguration(tasks, wanted)) ?? {};
  if (logging === 'NONE') return { groups: [], elsewhere: [notLogged(tasks, wanted)] };
  if (logging !== 'OVERRIDE') {
    const groups = await containerGroups(tasks, wanted);
    return { groups, elsewhere: groups.length === 0 ? [notLogged(tasks, wanted)] : [] };
  }
  const { cloudWatchLogGroupName: group, s3BucketName: bucket, s3KeyPrefix = '' } = logConfiguration;
  if (group !== undefined) return { groups: [group], elsewhere: [] };
  if (bucket === undefined) return { groups: [], elsewhere: [notLogged(tasks, wanted)] };
  const folder = `s3://${bucket}/${s3KeyPrefix}`;
  return {
    groups: [],
    elsewhere: [
      {
        what: `what was done in sessions (it is in ${folder})`,
        hint: `list the transcripts with: aws s3 ls ${folder} --recursive`,
      },
    ],
  };
}

async function execConfiguration(
  tasks: EcsTasks,
  { cluster, signal }: Wanted,
): Promise<ExecuteCommandConfiguration | undefined> {
  const command = new DescribeClustersCommand({ clusters: [cluster], include: ['CONFIGURATIONS'] });
  const { clusters = [] } = await tasks.ecs.send(command, `describe cluster ${cluster}`, { signal });
  return clusters[0]?.configuration?.executeCommandConfiguration;
}

/** Without a place of its own, a transcript goes to the container's log, if that is awslogs (ECS developer guide). */
async function containerGroups(tasks: EcsTasks, { known, signal }: Wanted): Promise<string[]> {
  const definitions = new Set((await known()).map(({ family, revision }) => `${family}:${revision}`));
  const groups = new Set<string>();
  for (const definition of definitions) {
    const { containerDefinitions = [] } = await tasks.definition(definition, signal);
    for (const { logConfiguration } of containerDefinitions) {
      const group = logConfiguration?.options?.['awslogs-group'];
      if (logConfiguration?.logDriver === 'awslogs' && group !== undefined) groups.add(group);
    }
  }
  return [...groups];
}

const notLogged = ({ place }: EcsTasks, { cluster }: Wanted): Unseen => ({
  what: `what was done in sessions (cluster ${cluster} logs none)`,
  hint:
    'log them from now on with: ' +
    `aws ecs update-cluster --cluster ${cluster} --region ${place.region} --configuration ` +
    "'executeCommandConfiguration={logging=OVERRIDE,logConfiguration={cloudWatchLogGroupName=GROUP}}' " +
    '(or the construct ExecAudit)',
});

/** A transcript is written after its session, so there is no end of the time. */
async function readGroup(
  tasks: EcsTasks,
  group: string,
  { from, signal }: Wanted,
  found: Map<string, Transcript>,
): Promise<void> {
  const logs = await tasks.clients.logs();
  let nextToken: string | undefined;
  do {
    const input = { logGroupName: group, logStreamNamePrefix: SESSION_PREFIX, startTime: from.getTime(), nextToken };
    const page = await awsCall(`read log ${group}`, (abort) => logs.filterLogEvents(input, abort), signal);
    for (const { logStreamName = '', timestamp = 0, message = '' } of page.events ?? []) {
      const { at = new Date(timestamp), text = '' } = found.get(logStreamName) ?? {};
      const line = message.endsWith('\n') ? message : `${message}\n`;
      found.set(logStreamName, { at, text: text.length > MOST_SHOWN ? text : text + line });
    }
    nextToken = page.nextToken;
  } while (nextToken !== undefined);
}
