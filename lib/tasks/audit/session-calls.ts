import type { Event } from '@aws-sdk/client-cloudtrail';
import { awsCall } from '../../aws/aws-call';
import { clusterNameOf } from '../../contract/task-arn';
import type { EcsTasks } from '../ecs-tasks';

/** What a session was for. */
export type SessionKind = 'command' | 'port' | 'ssh' | 'shell';

/** A call that began a session, or tried to, as CloudTrail has recorded it. */
export interface SessionCall {
  readonly at: Date;
  /** ARN of the user or the role's session. */
  readonly who: string;
  readonly sourceAddress: string | null;
  readonly kind: SessionKind;
  /** Of `ecs:ExecuteCommand`, as it was sent. */
  readonly command: string | null;
  readonly cluster: string;
  /** Id. */
  readonly task: string;
  readonly container: string | null;
  /** Null where the call was refused. */
  readonly sessionId: string | null;
  readonly error: string | null;
}

export interface SessionCalls {
  /** Oldest first. */
  readonly calls: readonly SessionCall[];
  /** When the caller ended a session, by its id. */
  readonly ends: ReadonlyMap<string, Date>;
}

export interface TrailRange {
  readonly from: Date;
  readonly until?: Date;
  readonly signal?: AbortSignal;
}

/** Members of an event's record that matter here (CloudTrail user guide, "CloudTrail record contents"). */
interface EventRecord {
  readonly userIdentity?: { readonly arn?: string; readonly principalId?: string };
  readonly sourceIPAddress?: string;
  readonly errorCode?: string;
  readonly requestParameters?: Readonly<Record<string, unknown>> | null;
  readonly responseElements?: Readonly<Record<string, unknown>> | null;
}

/** `ecs:CLUSTER_TASK_RUNTIME-ID`; a cluster's name may have underscores. */
const ECS_TARGET = /^ecs:(.+)_([0-9a-f-]+)_([^_]+)$/;

/** All calls of the region that began or ended sessions with tasks. Throws `denied` without `cloudtrail:LookupEvents`. */
export async function sessionCalls(tasks: EcsTasks, range: TrailRange): Promise<SessionCalls> {
  const calls: SessionCall[] = [];
  const ends = new Map<string, Date>();
  for await (const event of eventsOf(tasks, 'ExecuteCommand', range)) add(calls, commandCall(event));
  for await (const event of eventsOf(tasks, 'StartSession', range)) add(calls, startCall(event));
  for await (const event of eventsOf(tasks, 'TerminateSession', { ...range, until: undefined })) {
    const { requestParameters } = recordOf(event);
    const id = text(requestParameters?.sessionId);
    if (id !== null && event.EventTime !== undefined) ends.set(id, event.EventTime);
  }
  return { calls: calls.sort((one, other) => one.at.getTime() - other.at.getTime()), ends };
}

function add<Item>(items: Item[], item: Item | undefined): void {
  if (item !== undefined) items.push(item);
}

async function* eventsOf(tasks: EcsTasks, name: string, { from, until, signal }: TrailRange): AsyncGenerator<Event> {
  const trail = await tasks.clients.cloudTrail();
  let NextToken: string | undefined;
  do {
    const input = {
      LookupAttributes: [{ AttributeKey: 'EventName' as const, AttributeValue: name }],
      StartTime: from,
      EndTime: until,
      NextToken,
    };
    const page = await awsCall(
      'look up who opened sessions',
      (abortSignal) => trail.lookupEvents(input, abortSignal),
      signal,
    );
    yield* page.Events ?? [];
    NextToken = page.NextToken;
  } while (NextToken !== undefined);
}

/** Undefined for a call whose record doesn't say which task it was for. */
function commandCall(event: Event): SessionCall | undefined {
  const record = recordOf(event);
  const { cluster, task, container, command } = record.requestParameters ?? {};
  const answer = record.responseElements ?? {};
  const taskId = idOf(text(answer.taskArn) ?? text(task));
  if (taskId === undefined) return undefined;
  const session = answer.session as Readonly<Record<string, unknown>> | undefined;
  return {
    ...whoAndWhen(event, record),
    kind: 'command',
    command: text(command),
    cluster: clusterNameOf(text(answer.clusterArn) ?? text(cluster) ?? 'default'),
    task: taskId,
    container: text(answer.containerName) ?? text(container),
    sessionId: text(session?.sessionId),
  };
}

/** Undefined for sessions with other machines than tasks. */
function startCall(event: Event): SessionCall | undefined {
  const record = recordOf(event);
  const { target, documentName } = record.requestParameters ?? {};
  const [, cluster, task] = ECS_TARGET.exec(text(target) ?? '') ?? [];
  if (cluster === undefined || task === undefined) return undefined;
  return {
    ...whoAndWhen(event, record),
    kind: kindOf(text(documentName) ?? ''),
    command: null,
    cluster,
    task,
    container: null,
    sessionId: text(record.responseElements?.sessionId),
  };
}

const whoAndWhen = (
  { EventTime = new Date(0), Username }: Event,
  { userIdentity, sourceIPAddress, errorCode }: EventRecord,
): Pick<SessionCall, 'at' | 'who' | 'sourceAddress' | 'error'> => ({
  at: EventTime,
  who: userIdentity?.arn ?? userIdentity?.principalId ?? Username ?? 'unknown',
  sourceAddress: sourceIPAddress ?? null,
  error: errorCode ?? null,
});

const kindOf = (document: string): SessionKind =>
  document === 'AWS-StartSSHSession' ? 'ssh' : document.startsWith('AWS-StartPortForwarding') ? 'port' : 'shell';

const idOf = (task: string | null): string | undefined => task?.split('/').pop();

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' ? value : null);

/** An event that can't be read costs that event. */
function recordOf({ CloudTrailEvent = '{}' }: Event): EventRecord {
  try {
    return JSON.parse(CloudTrailEvent) as EventRecord;
  } catch {
    return {};
  }
}
