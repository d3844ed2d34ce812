import { isMngrFargateError } from '../../contract/errors';
import { clusterNameOf } from '../../contract/task-arn';
import type { EcsTasks } from '../ecs-tasks';
import { findTasks } from '../find';
import type { TaskSummary } from '../model';
import type { TaskSelector } from '../selector';
import { sessionCalls } from './session-calls';
import type { SessionCall, SessionCalls, SessionKind } from './session-calls';
import { shownCommand, shownOutput } from './shown-command';
import { transcripts } from './transcripts';
import type { Transcript } from './transcripts';
import type { Unseen } from './unseen';

/** A session with a container, or an attempt at one. */
export interface AuditEntry {
  /** When it was opened; for one that only its transcript shows, when that was written. */
  readonly timestamp: string;
  /** ARN of the user or the role's session; null where only the transcript is known. */
  readonly who: string | null;
  readonly sourceAddress: string | null;
  readonly kind: SessionKind;
  /** As the user gave it; null for sessions that aren't commands. */
  readonly command: string | null;
  /** Id. */
  readonly task: string | null;
  readonly container: string | null;
  readonly sessionId: string | null;
  /** When the caller ended it; null where it ended otherwise, or hasn't. */
  readonly endedAt: string | null;
  /** Why AWS refused it. */
  readonly error: string | null;
  /** What it showed, if that was logged. */
  readonly transcript: string | null;
}

export interface AuditReport {
  /** Oldest first. */
  readonly entries: readonly AuditEntry[];
  readonly unseen: readonly Unseen[];
}

export interface AuditOptions {
  /** Default: the last seven days. */
  readonly since?: Date;
  readonly until?: Date;
  readonly signal?: AbortSignal;
}

const MINUTE_MS = 60_000;
const DAY_MS = 24 * 60 * MINUTE_MS;
const USUAL_DAYS = 7;
/** CloudTrail user guide, "Event history", and "How CloudTrail works": about five minutes on average. */
const HISTORY_DAYS = 90;
const USUAL_DELAY_MS = 5 * MINUTE_MS;

/**
 * Who opened sessions with the tasks that a selector names, when and for what, and what they showed: from CloudTrail's event
 * history and from the log group of the cluster's `executeCommandConfiguration`. What can't be read is named and left out.
 */
export async function taskAudit(
  tasks: EcsTasks,
  selector: TaskSelector,
  options: AuditOptions = {},
): Promise<AuditReport> {
  const { until, signal } = options;
  const now = Date.now();
  const from = options.since ?? new Date(now - USUAL_DAYS * DAY_MS);
  let found: Promise<readonly TaskSummary[]> | undefined;
  const { cluster, service, family, task } = selector;
  const known = (): Promise<readonly TaskSummary[]> =>
    (found ??= findTasks(tasks, { cluster, service, family, task }, { stopped: true, signal }));
  const trail = await trailOf(tasks, { from, until, signal });
  const logged = await transcripts(tasks, { cluster, from, signal, known });
  const isWanted = await wantedTasks(selector, known);
  const wanted = trail.calls.filter((call) => clusterNameOf(cluster) === call.cluster && isWanted(call));
  const named = new Set(trail.calls.map(({ sessionId }) => sessionId));
  // Whose sessions these are, only CloudTrail knows.
  const isWhole = [service, family, task, selector.container].every((part) => part === undefined);
  const nameless = isWhole ? [...logged.bySession].filter(([id]) => !named.has(id)) : [];
  const entries = [
    ...wanted.map((call) => entryOf(call, trail.ends, logged.bySession.get(call.sessionId ?? ''))),
    ...nameless.map(([id, transcript]) => namelessEntry(id, transcript)),
  ];
  const inRange = ({ timestamp }: AuditEntry): boolean => until === undefined || new Date(timestamp) <= until;
  return {
    entries: entries.filter(inRange).sort((one, other) => one.timestamp.localeCompare(other.timestamp)),
    unseen: [...trail.unseen, ...outOfReach(selector, { from, until, now }), ...logged.unseen],
  };
}

async function trailOf(
  tasks: EcsTasks,
  range: { readonly from: Date; readonly until?: Date; readonly signal?: AbortSignal },
): Promise<SessionCalls & { readonly unseen: readonly Unseen[] }> {
  try {
    return { ...(await sessionCalls(tasks, range)), unseen: [] };
  } catch (error) {
    if (!isMngrFargateError(error) || error.code !== 'denied') throw error;
    const unseen = [{ what: `who opened sessions (${error.message})`, hint: 'allow cloudtrail:LookupEvents' }];
    return { calls: [], ends: new Map(), unseen };
  }
}

/** A task by its id needs nothing of ECS, which forgets tasks an hour after their end. */
async function wantedTasks(
  { service, family, task, container }: TaskSelector,
  known: () => Promise<readonly TaskSummary[]>,
): Promise<(call: SessionCall) => boolean> {
  const isContainer = (call: SessionCall): boolean =>
    container === undefined || call.container === null || call.container === container;
  if (task !== undefined) return (call) => call.task.startsWith(task.split('/').pop() ?? '') && isContainer(call);
  if (service === undefined && family === undefined) return isContainer;
  const ids = new Set((await known()).map(({ taskId }) => taskId));
  return (call) => ids.has(call.task) && isContainer(call);
}

function outOfReach(
  { service, family, task, cluster }: TaskSelector,
  { from, until, now }: { readonly from: Date; readonly until?: Date; readonly now: number },
): Unseen[] {
  const unseen: Unseen[] = [];
  if (from.getTime() < now - HISTORY_DAYS * DAY_MS) {
    unseen.push({
      what: `who opened sessions more than ${HISTORY_DAYS} days ago, which CloudTrail's event history forgets`,
      hint: 'a trail of CloudTrail keeps events in a bucket',
    });
  }
  if ((until?.getTime() ?? now) > now - USUAL_DELAY_MS) {
    unseen.push({ what: 'sessions of the last minutes: CloudTrail shows a call after about five' });
  }
  if (task === undefined && (service !== undefined || family !== undefined)) {
    unseen.push({
      what: 'sessions with tasks that stopped more than an hour ago, whose service and family ECS forgets',
      hint: `see those of all tasks with: mngr-fargate logs --audit --cluster ${clusterNameOf(cluster)}`,
    });
  }
  return unseen;
}

function entryOf(call: SessionCall, ends: ReadonlyMap<string, Date>, transcript: Transcript | undefined): AuditEntry {
  const { at, command, cluster: _, ...rest } = call;
  return {
    timestamp: at.toISOString(),
    ...rest,
    command: command === null ? null : shownCommand(command),
    endedAt: ends.get(call.sessionId ?? '')?.toISOString() ?? null,
    transcript: transcript === undefined ? null : shownOutput(command, transcript.text),
  };
}

const namelessEntry = (sessionId: string, { at, text }: Transcript): AuditEntry => ({
  timestamp: at.toISOString(),
  who: null,
  sourceAddress: null,
  kind: 'command',
  command: null,
  task: null,
  container: null,
  sessionId,
  endedAt: null,
  error: null,
  transcript: text,
});
