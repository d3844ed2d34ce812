import { STOP_REASON_PREFIXES } from '../../lib/contract/stop-reasons';

/**
 * The part of an `ECS Task State Change` event's detail that is read here (ECS developer guide, "Amazon ECS task state
 * change events"). ECS may add members, and omits those that don't apply.
 */
export interface TaskStateChange {
  readonly taskArn: string;
  readonly taskDefinitionArn: string;
  readonly lastStatus: string;
  readonly desiredStatus: string;
  readonly createdAt?: string;
  readonly startedAt?: string;
  readonly stoppedAt?: string;
  readonly startedBy?: string;
  readonly stopCode?: string;
  readonly stoppedReason?: string;
  readonly containers?: readonly { readonly name?: string; readonly exitCode?: number; readonly reason?: string }[];
}

export interface StartedHost {
  readonly kind: 'started';
  /** Milliseconds from createdAt to startedAt. */
  readonly startTime: number | undefined;
  /** Milliseconds since 1970. */
  readonly at: number;
}

export interface EndedHost {
  readonly kind: 'ended';
  /** The reason, in one word. */
  readonly reason: string;
  /** It stopped before it was RUNNING, or never became ready. */
  readonly failedStart: boolean;
  readonly at: number;
}

/** The image's exit codes (docs/image.md); 69 to 78 mean that it couldn't start. */
const BOOT_LEASE_RAN_OUT = 75;
const TERMINATED = 143;
const BOOT_FAILURES = { first: 69, last: 78 } as const;

/** How the reasons that launchers and the reaper pass to StopTask begin. */
const STOPPED_BY: readonly (readonly [start: string, word: string])[] = [
  [STOP_REASON_PREFIXES.reaper, 'reaped'],
  [STOP_REASON_PREFIXES.destroyed, 'destroyed'],
  [STOP_REASON_PREFIXES.createFailed, 'create-failed'],
];

/** What an event means; undefined for intermediate states. */
export function meaningOf(task: TaskStateChange, now: number): StartedHost | EndedHost | undefined {
  const createdAt = instantOf(task.createdAt);
  const startedAt = instantOf(task.startedAt);
  if (task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING') {
    const startTime = createdAt === undefined || startedAt === undefined ? undefined : startedAt - createdAt;
    return { kind: 'started', startTime, at: startedAt ?? now };
  }
  if (task.lastStatus !== 'STOPPED') return undefined;
  const reason = reasonOf(task);
  const failedStart =
    startedAt === undefined ||
    ['boot-lease', 'boot-failed', 'create-failed', 'failed-to-start'].includes(reason) ||
    task.stoppedReason?.startsWith(`${STOP_REASON_PREFIXES.reaper}never-ready`) === true;
  return { kind: 'ended', reason, failedStart, at: instantOf(task.stoppedAt) ?? now };
}

function reasonOf({ stopCode, stoppedReason = '', containers = [] }: TaskStateChange): string {
  switch (stopCode) {
    case 'TaskFailedToStart':
      return 'failed-to-start';
    case 'SpotInterruption':
    case 'TerminationNotice':
      return 'spot';
    case 'EssentialContainerExited':
      return reasonOfExit(containers.find(({ exitCode }) => exitCode !== undefined)?.exitCode);
    case 'UserInitiated':
      return STOPPED_BY.find(([start]) => stoppedReason.startsWith(start))?.[1] ?? 'stopped';
    default:
      return 'other';
  }
}

function reasonOfExit(exitCode: number | undefined): string {
  if (exitCode === BOOT_LEASE_RAN_OUT) return 'boot-lease';
  if (exitCode !== undefined && exitCode >= BOOT_FAILURES.first && exitCode <= BOOT_FAILURES.last) return 'boot-failed';
  // The watchdog stops a host by sending SIGTERM to its main process.
  return exitCode === TERMINATED ? 'ended-itself' : 'crashed';
}

function instantOf(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '');
  return Number.isNaN(time) ? undefined : time;
}
