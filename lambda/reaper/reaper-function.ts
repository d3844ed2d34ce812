import { NOTICES } from '../../lib/contract/log-events';
import type { EcsClient } from '../../lib/hosts/ecs/ecs-client';
import { Tasks } from '../../lib/hosts/ecs/tasks';
import { ImageRevisions } from '../../lib/hosts/reaping/image-revisions';
import { reap } from '../../lib/hosts/reaping/reap';
import type { Resumption } from '../../lib/hosts/reaping/reap';
import type { RunCounts } from '../../lib/hosts/reaping/journal';
import { familyOfArn } from '../../lib/hosts/reaping/task-facts';
import { EmbeddedMetrics } from './embedded-metrics';
import type { ReaperSettings } from './settings';
import { meaningOf } from './task-event';
import type { TaskStateChange } from './task-event';

/** What EventBridge sends; an invocation by hand may send anything, which means a run. */
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

/** Left of an invocation's time for its last lines. Milliseconds. */
const CLOSING_TIME = 10_000;
/** Events that are remembered: EventBridge may send one twice, and ECS sends several of a task that is RUNNING. */
const REMEMBERED_EVENTS = 5_000;
/** How long a place in the list is worth going back to. Milliseconds. */
const RESUMABLE = 1_800_000;

/**
 * The reaper as a Lambda function. A run that ends for lack of time leaves its place here, in the memory of Lambda's
 * execution environment (docs/decisions/081).
 */
export class ReaperFunction {
  private readonly tasks: Tasks;
  private readonly revisions: ImageRevisions;
  private readonly metrics: EmbeddedMetrics;
  private readonly noted = new Set<string>();
  private place: { readonly resume: Resumption; readonly at: number } | undefined;

  /** `write` takes one line of the log as an object. */
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

  /** Throws when a run could not see the fleet, so that Lambda counts an error; the next run is the retry. */
  async handle(event: ReaperEvent, context: InvocationContext): Promise<ReaperAnswer | undefined> {
    if (event['detail-type'] === 'ECS Task State Change') return this.note(event.detail as TaskStateChange);
    return this.run(context);
  }

  private async run(context: InvocationContext): Promise<ReaperAnswer> {
    const { settings, tasks } = this;
    const { rules, dryRun, region, publicIp } = settings;
    const started = tasks.now();
    const resume = this.place !== undefined && started - this.place.at < RESUMABLE ? this.place.resume : undefined;
    this.place = undefined;
    const result = await reap(tasks, {
      rules,
      dryRun,
      resume,
      place: { region, publicIp },
      leftovers: settings.revisions ? [this.revisions] : [],
      tell: this.write,
      signal: AbortSignal.timeout(Math.max(0, context.getRemainingTimeInMillis() - CLOSING_TIME)),
    });
    if (result.resume !== undefined) this.place = { resume: result.resume, at: started };
    this.metrics.ofRun(result, tasks.now());
    if (result.problem !== undefined) throw result.problem;
    const { complete, stopped, reported, leftovers, errors } = result;
    return { complete, stopped, reported, leftovers, errors };
  }

  /** Counts a start or an end. Calls nothing: launchers need the API while a fleet starts (docs/decisions/080). */
  private note(task: TaskStateChange): undefined {
    if (familyOfArn(task.taskDefinitionArn) !== this.settings.rules.family) return;
    const { taskArn, startedBy = null } = task;
    const meaning = meaningOf(task, this.tasks.now());
    if (meaning === undefined || !this.isNew(`${meaning.kind} ${taskArn}`)) return;
    if (meaning.kind === 'started') {
      this.write({ notice: NOTICES.hostStarted, taskArn, startedBy, milliseconds: meaning.startTime ?? null });
      this.metrics.ofStart(meaning);
    } else {
      const { stopCode = null, stoppedReason = null, containers = [] } = task;
      const exitCode = containers.find((container) => container.exitCode !== undefined)?.exitCode ?? null;
      const { reason, failedStart } = meaning;
      const notice = failedStart ? NOTICES.hostStartFailed : NOTICES.hostEnded;
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
