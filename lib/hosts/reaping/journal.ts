import { LOG_EVENTS } from '../../contract/log-events';
import type { LogEventName, ReportReason, StopReason } from '../../contract/log-events';

/** One line of the reaper's log. */
export interface LogEvent {
  readonly notice: LogEventName;
  readonly [member: string]: unknown;
}

export type Tell = (notice: LogEvent) => void;

/** What a run did, by reason. */
export interface RunCounts {
  readonly stopped: Readonly<Partial<Record<StopReason, number>>>;
  readonly reported: Readonly<Partial<Record<ReportReason, number>>>;
  /** By kind. */
  readonly leftovers: Readonly<Record<string, number>>;
  /** AWS calls that failed after all retries. */
  readonly errors: number;
}

/** Logs and counts what a run does. In a dry run `stopped` and `leftovers` count what would have been done. */
export class Journal {
  private readonly stopped = new Map<string, number>();
  private readonly reported = new Map<string, number>();
  private readonly leftovers = new Map<string, number>();
  private errors = 0;

  constructor(
    private readonly tell: Tell,
    readonly dryRun: boolean,
  ) {}

  stop(task: object, reason: StopReason, because: string): void {
    count(this.stopped, reason);
    this.tell({ notice: this.dryRun ? LOG_EVENTS.wouldStop : LOG_EVENTS.stopped, reason, because, ...task });
  }

  stopFailed(task: object, reason: StopReason, error: unknown): void {
    this.errors += 1;
    this.tell({ notice: LOG_EVENTS.stopFailed, reason, error: messageOf(error), ...task });
  }

  spare(task: object, reason: StopReason): void {
    this.tell({ notice: LOG_EVENTS.spared, reason, ...task });
  }

  report(task: object, reason: ReportReason, because: string): void {
    count(this.reported, reason);
    this.tell({ notice: LOG_EVENTS.reported, reason, because, ...task });
  }

  leftover(kind: string, id: string, because: string): void {
    count(this.leftovers, kind);
    this.tell({ notice: this.dryRun ? LOG_EVENTS.leftoverWouldGo : LOG_EVENTS.leftoverRemoved, kind, id, because });
  }

  leftoverFailed(kind: string, id: string, error: unknown): void {
    this.errors += 1;
    this.tell({ notice: LOG_EVENTS.leftoverFailed, kind, id, error: messageOf(error) });
  }

  leftoversSkipped(kind: string, because: string): void {
    this.tell({ notice: LOG_EVENTS.leftoversSkipped, kind, because });
  }

  callFailed(error: unknown): void {
    this.errors += 1;
    this.tell({ notice: LOG_EVENTS.callFailed, error: messageOf(error) });
  }

  counts(): RunCounts {
    return {
      stopped: Object.fromEntries(this.stopped),
      reported: Object.fromEntries(this.reported),
      leftovers: Object.fromEntries(this.leftovers),
      errors: this.errors,
    };
  }
}

const count = (counts: Map<string, number>, key: string): void => {
  counts.set(key, (counts.get(key) ?? 0) + 1);
};

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
