import { LOG_EVENTS } from '../../lib/contract/log-events';
import type { EcsClient } from '../../lib/aws/ecs-client';
import { Tasks } from '../../lib/hosts/ecs/tasks';
import { ImageRevisions } from '../../lib/hosts/reaping/image-revisions';
import { reap } from '../../lib/hosts/reaping/reap';
import type { Resumption } from '../../lib/hosts/reaping/reap';
import type { RunCounts } from '../../lib/hosts/reaping/journal';
import { familyOf } from '../../lib/contract/task-definition-family';
import { EmbeddedMetrics } from './embedded-metrics';
import type { ReaperSettings } from './settings';
import { meaningOf } from './task-event';
import type { TaskStateChange } from './task-event';

/** An event from EventBridge. A manual invocation may send anything else, which starts a run. */
export interface ReaperEvent {
  readonly 'detail-type'?: string;
  readonly detail?: unknown;
}

/** The part of Lambda's context that is used. */
export interface InvocationContext {
  getRemainingTimeInMillis(): number;
}

export interface ReaperAnswer extends RunCounts {
  readonly complete: boolean;
}

/** Part of an invocation's time that is kept for its last log lines. */
const CLOSING_TIME_MS = 10_000;
/** Events to remember: EventBridge may deliver one twice, and ECS sends several for a task that is RUNNING. */
const REMEMBERED_EVENTS = 5_000;
/** How long a run may resume where the last one stopped. */
const RESUMABLE_MS = 1_800_000;

/**
 * The reaper as a Lambda function. A run that runs out of time keeps its place in the list here, in the memory of Lambda's
 * execution environment (docs/decisions/081).
 */
export class ReaperFunction {
  private readonly tasks: Tasks;
  private readonly revisions: ImageRevisions;
  private readonly metrics: EmbeddedMetrics;
  private readonly noted = new Set<string>();
  private place: { readonly resume: Resumption; readonly at: number } | undefined;

  /** `write` writes an object as one line of the log. */
  constructor(
    private readonly settings: ReaperSettings,
    ecs: EcsClient,
    private readonly write: (line: object) => void,
  ) {
    const { cluster, rules } = settings;
    this.tasks = new Tasks(ecs, cluster);
    this.revisions = new ImageRevisions(ecs, rules.family);
    this.metrics = new EmbeddedMetrics(rules.family, write);
  }

  /** Throws if a run could not list the fleet, so that Lambda counts an error; the next run is the retry. */
  async handle(event: ReaperEvent, context: InvocationContext): Promise<ReaperAnswer | undefined> {
    if (event['detail-type'] === 'ECS Task State Change') return this.note(event.detail as TaskStateChange);
    return this.run(context);
  }

  private async run(context: InvocationContext): Promise<ReaperAnswer> {
    const { settings, tasks } = this;
    const { rules, dryRun, region, publicIp } = settings;
    const started = tasks.now();
    const resume = this.place !== undefined && started - this.place.at < RESUMABLE_MS ? this.place.resume : undefined;
    this.place = undefined;
    const result = await reap(tasks, {
      rules,
      dryRun,
      resume,
      place: { region, publicIp },
      leftovers: settings.revisions ? [this.revisions] : [],
      tell: this.write,
      signal: AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - CLOSING_TIME_MS)),
    });
    if (result.resume !== undefined) this.place = { resume: result.resume, at: started };
    this.metrics.ofRun(result, tasks.now());
    if (result.problem !== undefined) throw result.problem;
    const { complete, stopped, reported, leftovers, errors } = result;
    return { complete, stopped, reported, leftovers, errors };
  }

  /** Counts a start or an end. Makes no AWS calls: launchers need the rate limits while a fleet starts (docs/decisions/080). */
  private note(task: TaskStateChange): undefined {
    if (familyOf(task.taskDefinitionArn) !== this.settings.rules.family) return;
    const { taskArn, startedBy = null } = task;
    const meaning = meaningOf(task, this.tasks.now());
    if (meaning === undefined || !this.isNew(`${meaning.kind} ${taskArn}`)) return;
    if (meaning.kind === 'started') {
      this.write({ notice: LOG_EVENTS.hostStarted, taskArn, startedBy, milliseconds: meaning.startTime ?? null });
      this.metrics.ofStart(meaning);
    } else {
      const { stopCode = null, stoppedReason = null, containers = [] } = task;
      const exitCode = containers.find((container) => container.exitCode !== undefined)?.exitCode ?? null;
      const { reason, failedStart } = meaning;
      const notice = failedStart ? LOG_EVENTS.hostStartFailed : LOG_EVENTS.hostEnded;
      this.write({ notice, taskArn, startedBy, reason, stopCode, stoppedReason, exitCode });
      this.metrics.ofEnd(meaning);
    }
    return undefined;
  }

  private isNew(event: string): boolean {
    if (this.noted.has(event)) return false;
    this.noted.add(event);
    const [oldest] = this.noted;
    if (this.noted.size > REMEMBERED_EVENTS && oldest !== undefined) this.noted.delete(oldest);
    return true;
  }
}
