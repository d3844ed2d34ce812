/**
 * Events in the reaper's log: one line of JSON each, whose member `notice` names the event. Other people's queries and
 * alarms rely on these names; docs/reaper.md lists the members of each event.
 */
export const LOG_EVENTS = {
  /** A task was stopped. */
  stopped: 'task-stopped',
  /** A dry run would have stopped it. */
  wouldStop: 'task-would-be-stopped',
  /** StopTask failed; the next run tries again. */
  stopFailed: 'task-stop-failed',
  /** The task was due when it was listed, and no longer when it was checked again right before the stop. */
  spared: 'task-spared',
  /** Something is wrong or unclear; it was reported and nothing was changed. */
  reported: 'task-reported',
  /** A leftover that is not a task was removed. */
  leftoverRemoved: 'leftover-removed',
  leftoverWouldGo: 'leftover-would-be-removed',
  leftoverFailed: 'leftover-removal-failed',
  /** Leftovers of one kind were not looked for; the event says why. */
  leftoversSkipped: 'leftovers-not-looked-at',
  /** An AWS call failed after all retries. */
  callFailed: 'call-failed',
  /** A run ended. The event has its counts. */
  run: 'reaper-run',
  /** From ECS's task state events. */
  hostStarted: 'host-started',
  hostEnded: 'host-ended',
  /** A host stopped before it was RUNNING, or never became ready. */
  hostStartFailed: 'host-start-failed',
} as const;

export type LogEventName = (typeof LOG_EVENTS)[keyof typeof LOG_EVENTS];

/** Why a task is stopped. `untagged` only if that was asked for. */
export type StopReason = 'expired' | 'never-ready' | 'name-held-twice' | 'untagged';

/** Why a task is reported but not stopped. */
export type ReportReason =
  /** A task of the family has none of our tags. */
  | 'untagged'
  /** Two running hosts have the same name, and the rules allow stopping neither. */
  | 'name-held-twice'
  /** The host has not become ready for a long time, and its boot lease never ends. */
  | 'not-ready'
  /** `mngr-expires-at` is not a valid time. */
  | 'unreadable-expiry'
  /** ECS did not return the task's tags. */
  | 'tags-not-shown'
  /** ECS returned no creation time, or one in the future. */
  | 'unclear-age'
  /** ECS listed the task under the family and described it under another. */
  | 'other-family'
  /** DescribeTasks failed for this task. */
  | 'not-described';
