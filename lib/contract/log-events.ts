/**
 * What the reaper writes to its log: one line of JSON each, told apart by the member `notice`. Queries and alarms of
 * others rely on these words; docs/reaper.md lists the members that come with each.
 */
export const NOTICES = {
  /** A task was stopped. */
  stopped: 'task-stopped',
  /** A dry run would have stopped it. */
  wouldStop: 'task-would-be-stopped',
  /** StopTask was refused or failed; the next run tries again. */
  stopFailed: 'task-stop-failed',
  /** Due at the first look and not any more at the second, right before the stop. */
  spared: 'task-spared',
  /** Something is odd or in doubt: told, and nothing done about it. */
  reported: 'task-reported',
  /** A leftover of another kind was removed. */
  leftoverRemoved: 'leftover-removed',
  leftoverWouldGo: 'leftover-would-be-removed',
  leftoverFailed: 'leftover-removal-failed',
  /** A kind of leftovers was not looked at, and why. */
  leftoversSkipped: 'leftovers-not-looked-at',
  /** A call of AWS failed after all retries. */
  callFailed: 'call-failed',
  /** A run ended; with its counts. */
  run: 'reaper-run',
  /** From ECS's task state events. */
  hostStarted: 'host-started',
  hostEnded: 'host-ended',
  /** It ended before it was RUNNING, or never became ready. */
  hostStartFailed: 'host-start-failed',
} as const;

export type NoticeName = (typeof NOTICES)[keyof typeof NOTICES];

/** Why a task is stopped. `untagged` only where that was asked for. */
export type StopReason = 'expired' | 'never-ready' | 'name-held-twice' | 'untagged';

/** Why a task is reported and let alone. */
export type ReportReason =
  /** A task of the family without any of our tags. */
  | 'untagged'
  /** Two live hosts of one name, of which neither may be stopped by rule. */
  | 'name-held-twice'
  /** Not ready for long, and launched with a boot lease that never ends. */
  | 'not-ready'
  /** `mngr-expires-at` is no time. */
  | 'unreadable-expiry'
  /** ECS answered without the task's tags. */
  | 'tags-not-shown'
  /** ECS gave no time of creation, or one in the future. */
  | 'unclear-age'
  /** ECS listed the task under the family and described it under another. */
  | 'other-family'
  /** DescribeTasks failed for this task. */
  | 'not-described';
