import { AGENT_TASK_TIMEOUT } from '../../contract/agent-task-timeout';
import type { ReportReason, StopReason } from '../../contract/log-events';
import { REAPER_DEFAULTS } from '../../contract/reaper';
import { HOST_TAGS } from '../../contract/tags';
import { olderFirst } from '../model/task-view';
import { isOfStack, isTagged } from './task-facts';
import type { TaskFacts } from './task-facts';

/** Limits that the rules use, in seconds. */
export interface ReaperRules {
  readonly family: string;
  /** After the end of a host's age limit. */
  readonly expiryGrace: number;
  /** For a host to become ready, beyond its boot lease. */
  readonly readyTimeout: number;
  /** Age until which a task is left alone, since its launcher may still be setting it up. */
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
  /** `because` is for people to read: what was seen, and since when. */
  | { readonly do: 'stop'; readonly reason: StopReason; readonly because: string }
  | { readonly do: 'report'; readonly reason: ReportReason; readonly because: string };

const KEEP: Verdict = { do: 'keep' };
const report = (reason: ReportReason, because: string): Verdict => ({ do: 'report', reason, because });
const stop = (reason: StopReason, because: string): Verdict => ({ do: 'stop', reason, because });

/** The SDK's estimate of AWS's time is accurate to this many milliseconds. */
const CLOCK_TOLERANCE = 300_000;
/** ISO 8601 with a time zone, as written by Date.toISOString or by hand. */
const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)$/;

/**
 * What to do about one task by itself. `now` is AWS's time. Anything unclear is reported: a task is only stopped if ECS
 * clearly shows its tags, family and age.
 */
export function judge(task: TaskFacts, rules: ReaperRules, now: number): Verdict {
  if (!task.live) return KEEP;
  if (task.family !== rules.family) return report('other-family', `its task definition is of family ${task.family}`);
  if (task.createdAt === undefined) return report('unclear-age', 'ECS returned no creation time');
  if (task.createdAt > now + CLOCK_TOLERANCE) {
    return report('unclear-age', `ECS says that it was created at ${iso(task.createdAt)}, and it is now ${iso(now)}`);
  }
  if (task.tags === undefined) return report('tags-not-shown', "ECS did not return the task's tags");
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
 * `mngr-expires-at` and `mngr-created-at`, which is set right before RunTask, come from the launcher's clock. The time
 * between the two counts from the moment when ECS created the task.
 */
function judgeExpiry(task: TaskFacts, createdAt: number, rules: ReaperRules, now: number): Verdict | undefined {
  const written = task.tags?.[HOST_TAGS.expiresAt];
  if (written === undefined) return undefined;
  const expiresAt = instantOf(written);
  if (expiresAt === undefined) {
    return report(
      'unreadable-expiry',
      `${HOST_TAGS.expiresAt} is ${JSON.stringify(written)}, which is not a valid time`,
    );
  }
  const launchedAt = instantOf(task.tags?.[HOST_TAGS.createdAt] ?? '');
  const end = launchedAt === undefined ? expiresAt : createdAt + (expiresAt - launchedAt);
  if (now <= end + rules.expiryGrace * 1000) return undefined;
  return stop('expired', `its age limit was reached at ${iso(end)}`);
}

/**
 * A host becomes ready once its launcher has logged in and set it up. Without a login the container stops when its boot
 * lease runs out, so a host that runs much longer was logged in to by a launcher that died before it had finished. A host
 * of a stack has no boot lease: CloudFormation waits until it is ready, or deletes it.
 */
function judgeReadiness(task: TaskFacts, createdAt: number, rules: ReaperRules, now: number): Verdict {
  if (task.tags?.[HOST_TAGS.readyAt] !== undefined) return KEEP;
  const waited = now - (task.startedAt ?? createdAt);
  const allowed = isOfStack(task) ? AGENT_TASK_TIMEOUT.max : task.bootLease;
  if (waited <= (allowed + rules.readyTimeout) * 1000) return KEEP;
  const because = `not ready ${minutes(waited)} after its ${task.startedAt === undefined ? 'launch' : 'start'}`;
  return allowed === 0
    ? report('not-ready', `${because}, and it was launched without a limit on the wait for its first login`)
    : stop('never-ready', because);
}

/**
 * What to do about live hosts of one provider that have the same current name. The oldest established host keeps it. A
 * newer one is stopped if it was also launched under this name, despite RunTask's client token; a host that was renamed to
 * it, or that belongs to a stack, is reported.
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

/** Established: it is running and ready, and its launcher has had time to finish. */
const isEstablished = (task: TaskFacts, rules: ReaperRules, now: number): boolean =>
  task.running && now - (task.createdAt ?? now) > rules.settling * 1000 && task.tags?.[HOST_TAGS.readyAt] !== undefined;

/** True if all belong to one `AgentTask`: CloudFormation itself stops the older one once the newer one is ready. */
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
