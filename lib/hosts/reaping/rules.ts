import { AGENT_TASK_TIMEOUT } from '../../contract/agent-task-timeout';
import type { ReportReason, StopReason } from '../../contract/log-events';
import { REAPER_DEFAULTS } from '../../contract/reaper';
import { HOST_TAGS } from '../../contract/tags';
import { olderFirst } from '../model/task-view';
import { isOfStack, isTagged } from './task-facts';
import type { TaskFacts } from './task-facts';

/** What the rules go by. Seconds. */
export interface ReaperRules {
  readonly family: string;
  /** After the end of a host's age limit. */
  readonly expiryGrace: number;
  /** For a host to become ready, beyond its boot lease. */
  readonly readyTimeout: number;
  /** Age from which a task counts for what it is. */
  readonly settling: number;
  readonly stopUntagged: boolean;
}

export const defaultRules = (family: string): ReaperRules => ({
  family,
  expiryGrace: REAPER_DEFAULTS.expiryGrace,
  readyTimeout: REAPER_DEFAULTS.readyTimeout,
  settling: REAPER_DEFAULTS.settling,
  stopUntagged: false,
});

export type Verdict =
  | { readonly do: 'keep' }
  /** `because` is for people: what was seen, and since when. */
  | { readonly do: 'stop'; readonly reason: StopReason; readonly because: string }
  | { readonly do: 'report'; readonly reason: ReportReason; readonly because: string };

const KEEP: Verdict = { do: 'keep' };
const report = (reason: ReportReason, because: string): Verdict => ({ do: 'report', reason, because });
const stop = (reason: StopReason, because: string): Verdict => ({ do: 'stop', reason, because });

/** AWS's clock as the SDK knows it is right within this. Milliseconds. */
const CLOCK_TOLERANCE = 300_000;
/** ISO 8601 with a time zone, as Date.toISOString writes it and people may. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * What to do about one task by itself. `now` is AWS's time. Whatever can't be told for sure is reported: only a task whose
 * tags, family and age ECS shows plainly is ever stopped.
 */
export function judge(task: TaskFacts, rules: ReaperRules, now: number): Verdict {
  if (!task.live) return KEEP;
  if (task.family !== rules.family) return report('other-family', `its task definition is of family ${task.family}`);
  if (task.createdAt === undefined) return report('unclear-age', 'ECS gives no time of creation');
  if (task.createdAt > now + CLOCK_TOLERANCE) {
    return report('unclear-age', `ECS says that it is made at ${iso(task.createdAt)}, and now is ${iso(now)}`);
  }
  if (task.tags === undefined) return report('tags-not-shown', "ECS answered without the task's tags");
  if (!isTagged(task)) return judgeUntagged(task, rules, now - task.createdAt);
  return judgeExpiry(task, task.createdAt, rules, now) ?? judgeReadiness(task, task.createdAt, rules, now);
}

function judgeUntagged(task: TaskFacts, rules: ReaperRules, age: number): Verdict {
  if (age <= rules.settling * 1000) return KEEP;
  const starter = task.startedBy === undefined ? '' : `, started by ${task.startedBy}`;
  if (task.ofService) return report('untagged', `a task of a service, which would start it again${starter}`);
  const because = `a task of the family without tags of a host, ${minutes(age)} old${starter}`;
  return rules.stopUntagged ? stop('untagged', because) : report('untagged', because);
}

/**
 * `mngr-expires-at` is by the launcher's clock, and so is `mngr-created-at`, written right before RunTask. What counts is
 * the time between the two, from the moment that ECS made the task.
 */
function judgeExpiry(task: TaskFacts, createdAt: number, rules: ReaperRules, now: number): Verdict | undefined {
  const written = task.tags?.[HOST_TAGS.expiresAt];
  if (written === undefined) return undefined;
  const expiresAt = instantOf(written);
  if (expiresAt === undefined) {
    return report('unreadable-expiry', `${HOST_TAGS.expiresAt} is ${JSON.stringify(written)}, which is no time`);
  }
  const launchedAt = instantOf(task.tags?.[HOST_TAGS.createdAt] ?? '');
  const end = launchedAt === undefined ? expiresAt : createdAt + (expiresAt - launchedAt);
  if (now <= end + rules.expiryGrace * 1000) return undefined;
  return stop('expired', `its time was over at ${iso(end)}`);
}

/**
 * A host becomes ready when its launcher has logged in and set it up. Without a login the container ends itself at its
 * boot lease's end; so one that runs well beyond it has been logged in to, by a launcher that died before it was done. A
 * host of a stack has no boot lease: CloudFormation makes it ready or deletes it, if it knows of it.
 */
function judgeReadiness(task: TaskFacts, createdAt: number, rules: ReaperRules, now: number): Verdict {
  if (task.tags?.[HOST_TAGS.readyAt] !== undefined) return KEEP;
  const waited = now - (task.startedAt ?? createdAt);
  const allowed = isOfStack(task) ? AGENT_TASK_TIMEOUT.max : task.bootLease;
  if (waited <= (allowed + rules.readyTimeout) * 1000) return KEEP;
  const because = `not ready ${minutes(waited)} after its ${task.startedAt === undefined ? 'launch' : 'start'}`;
  return allowed === 0
    ? report('not-ready', `${because}, and it was launched to wait for its first login for ever`)
    : stop('never-ready', because);
}

/**
 * What to do about live hosts of one provider that share their present name. The oldest that is established keeps it. A
 * younger one is stopped when it was launched under this name all the same, which is a launch that slipped through
 * RunTask's client token; one that came by the name through a rename, or belongs to a stack, is reported.
 */
export function judgeNamesakes(namesakes: readonly TaskFacts[], rules: ReaperRules, now: number): Map<string, Verdict> {
  const live = namesakes.filter(({ live: isLive }) => isLive);
  const verdicts = new Map(live.map((task) => [task.arn, judge(task, rules, now)]));
  const settled = live.filter((task) => verdicts.get(task.arn)?.do === 'keep' && isEstablished(task, rules, now));
  const [elder, ...younger] = settled.sort(olderFirst);
  if (elder === undefined || isReplaced(settled)) return verdicts;
  for (const task of younger) verdicts.set(task.arn, judgeYounger(task, elder));
  return verdicts;
}

/** Established: it runs, it is ready, and its launcher has had its time. */
const isEstablished = (task: TaskFacts, rules: ReaperRules, now: number): boolean =>
  task.running && now - (task.createdAt ?? now) > rules.settling * 1000 && task.tags?.[HOST_TAGS.readyAt] !== undefined;

/** All of one `AgentTask`: CloudFormation stops the older one itself once the younger is ready. */
function isReplaced(tasks: readonly TaskFacts[]): boolean {
  const owner = ({ tags = {} }: TaskFacts): string => `${tags[HOST_TAGS.stackId]} ${tags[HOST_TAGS.stackResource]}`;
  return tasks.every(isOfStack) && new Set(tasks.map(owner)).size === 1;
}

function judgeYounger(task: TaskFacts, elder: TaskFacts): Verdict {
  const name = task.tags?.[HOST_TAGS.hostName];
  const because = `name ${name} belongs to ${elder.arn}, which is older`;
  if (isOfStack(task)) return report('name-held-twice', `${because}; this one belongs to a stack`);
  if (task.launchedAs !== name || elder.launchedAs !== name) {
    return report('name-held-twice', `${because}; one of the two was renamed`);
  }
  return stop('name-held-twice', because);
}

function instantOf(text: string): number | undefined {
  const time = INSTANT.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(time) ? undefined : time;
}

const iso = (time: number): string => new Date(time).toISOString();

const minutes = (milliseconds: number): string => `${Math.floor(milliseconds / 60_000)} minutes`;
