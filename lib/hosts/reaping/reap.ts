import { isMngrFargateError } from '../../contract/errors';
import { LOG_EVENTS } from '../../contract/log-events';
import type { StopReason } from '../../contract/log-events';
import { SHELL_STARTED_BY } from '../../contract/shell-tasks';
import { STOP_REASON_PREFIXES } from '../../contract/stop-reasons';
import { HOST_TAGS } from '../../contract/tags';
import { inBatches, mapBounded } from '../../util/bounded';
import { TASKS_PER_CALL } from '../ecs/tasks';
import type { DescribedTasks, Tasks } from '../ecs/tasks';
import { Census } from './census';
import type { Place } from './census';
import { Journal } from './journal';
import type { RunCounts, Tell } from './journal';
import type { LeftoverKind } from './leftovers';
import { judge, judgeNamesakes } from './rules';
import type { ReaperRules } from './rules';
import { judgeShell } from './shell-rules';
import { factsOf } from './task-facts';
import type { TaskFacts } from './task-facts';

/** Pages that are described in parallel. */
const PAGES_AT_ONCE = 4;
/** Tasks that are checked again in one call and then stopped. */
const STOPS_AT_ONCE = 20;
/** A run ends after this many failed calls. */
const MAX_FAILED_CALLS = 3;
/** Leftovers that are removed in parallel. */
const REMOVALS_AT_ONCE = 4;

/** Where to resume a run that ended early. */
export interface Resumption {
  readonly nextToken: string;
  readonly census: Census;
}

export interface ReapOptions {
  readonly rules: ReaperRules;
  readonly place: Place;
  /** Decides and logs as usual, but changes nothing. */
  readonly dryRun?: boolean;
  readonly leftovers?: readonly LeftoverKind[];
  readonly tell: Tell;
  /** Acts only on these task ARNs and leftover ids, and does not log the others. Default: all. */
  readonly only?: ReadonlySet<string>;
  /** Ends the run as soon as it fires. Tasks that were stopped stay stopped. */
  readonly signal?: AbortSignal;
  readonly resume?: Resumption;
}

export interface ReapResult extends RunCounts {
  /** Whether every live task was seen. If not, gauges and leftovers are unreliable. */
  readonly complete: boolean;
  readonly dryRun: boolean;
  readonly census: Census;
  /** Set if the run ended early and the next one can resume from there. */
  readonly resume?: Resumption;
  /** The error that ended the run early; absent if the signal did. */
  readonly problem?: unknown;
}

/**
 * One run: looks at every live task of the family, stops the tasks that the rules say to stop, reports unclear ones, and
 * then looks for leftovers. Each task is described and judged again right before it is stopped.
 *
 * Runs may overlap, be repeated, and end at any point: each decides by what ECS shows at that moment, stopping a stopped
 * task changes nothing, and of two hosts with the same name every run picks the same one.
 */
export async function reap(tasks: Tasks, options: ReapOptions): Promise<ReapResult> {
  return new Run(tasks, options).run();
}

interface Due {
  readonly facts: TaskFacts;
  readonly reason: StopReason;
}

class Run {
  private readonly census: Census;
  private readonly journal: Journal;
  private token: string | undefined;
  private due: Due[] = [];
  private failedCalls = 0;

  constructor(
    private readonly tasks: Tasks,
    private readonly options: ReapOptions,
  ) {
    this.census = options.resume?.census ?? new Census(options.place);
    this.token = options.resume?.nextToken;
    this.journal = new Journal(options.tell, options.dryRun === true);
  }

  async run(): Promise<ReapResult> {
    const { journal, census, options } = this;
    const problem = await this.sweep();
    const complete = problem === undefined && census.sawAll;
    const counts = journal.counts();
    const { dryRun = false } = options;
    options.tell({ notice: LOG_EVENTS.run, complete, dryRun, hosts: census.hosts, ...counts });
    const result = { ...counts, complete, dryRun, census };
    if (!this.interrupted) return { ...result, problem };
    return this.token === undefined ? result : { ...result, resume: { nextToken: this.token, census } };
  }

  private get interrupted(): boolean {
    return this.options.signal?.aborted === true;
  }

  /** What ended it before all was done; undefined when all was. */
  private async sweep(): Promise<unknown> {
    try {
      await this.seeAll();
      await this.settleNames();
      await this.seeShells();
      for (const kind of this.options.leftovers ?? []) await this.clear(kind);
      return undefined;
    } catch (error) {
      if (!this.interrupted) this.journal.callFailed(error);
      return error;
    }
  }

  private async seeAll(): Promise<void> {
    const { tasks, options } = this;
    const filter = { family: options.rules.family };
    let last = false;
    while (!last) {
      const pages: (readonly string[])[] = [];
      let token = this.token;
      do {
        const page = await tasks.page(filter, token, options.signal);
        if (page.arns.length > 0) pages.push(page.arns);
        token = page.nextToken;
      } while (token !== undefined && pages.length < PAGES_AT_ONCE);
      await mapBounded(pages, PAGES_AT_ONCE, (arns) => this.look(arns));
      // Only now, so that a run which is ended while it describes these pages resumes with them.
      this.token = token;
      last = token === undefined;
      while (this.due.length >= (last ? 1 : STOPS_AT_ONCE)) await this.lookAgain(this.due.splice(0, STOPS_AT_ONCE));
    }
  }

  /** The first check. If a call fails, its hundred tasks are left for the next run; several failures end this one. */
  private async look(arns: readonly string[]): Promise<void> {
    try {
      const { tasks, failures } = await this.tasks.describePage(arns, this.options.signal);
      this.tellFailures(failures);
      for (const task of tasks) {
        this.census.add(task);
        const facts = factsOf(task);
        const verdict = judge(facts, this.options.rules, this.tasks.now());
        if (verdict.do === 'stop') this.due.push({ facts, reason: verdict.reason });
        if (verdict.do === 'report') this.journal.report(nameplate(facts), verdict.reason, verdict.because);
      }
    } catch (error) {
      this.failedCalls += 1;
      if (this.interrupted || this.failedCalls >= MAX_FAILED_CALLS) throw error;
      this.census.sawAll = false;
      this.journal.callFailed(error);
    }
  }

  private tellFailures(failures: DescribedTasks['failures']): void {
    for (const { arn, reason } of failures) {
      if (reason === 'MISSING') continue;
      this.census.sawAll = false;
      this.journal.report({ taskArn: arn }, 'not-described', `DescribeTasks: ${reason}`);
    }
  }

  /** Checks the tasks again, and stops those that are still due. */
  private async lookAgain(due: readonly Due[]): Promise<void> {
    const { tasks, failures } = await this.tasks.describePage(
      due.map(({ facts }) => facts.arn),
      this.options.signal,
    );
    this.tellFailures(failures);
    const now = this.tasks.now();
    const seen = new Map(tasks.map(factsOf).map((facts) => [facts.arn, facts]));
    await mapBounded(due, STOPS_AT_ONCE, async ({ facts: { arn }, reason }) => {
      const facts = seen.get(arn);
      if (facts === undefined) return;
      const verdict = judge(facts, this.options.rules, now);
      if (verdict.do === 'stop') await this.stop(facts, verdict.reason, verdict.because);
      else this.journal.spare(nameplate(facts), reason);
    });
  }

  /** Describes and judges together the hosts that share a name. */
  private async settleNames(): Promise<void> {
    const groups = this.census.namesakes();
    while (groups.length > 0) {
      const batch = [groups.shift() as string[]];
      while (groups[0] !== undefined && batch.flat().length + groups[0].length <= STOPS_AT_ONCE) {
        batch.push(groups.shift() as string[]);
      }
      await this.settleBatch(batch);
    }
  }

  private async settleBatch(groups: readonly (readonly string[])[]): Promise<void> {
    const described = new Map<string, TaskFacts>();
    for (const page of inBatches(groups.flat(), TASKS_PER_CALL)) {
      const answer = await this.tasks.describePage(page, this.options.signal);
      for (const facts of answer.tasks.map(factsOf)) described.set(facts.arn, facts);
    }
    const now = this.tasks.now();
    for (const group of groups) {
      const namesakes = group.map((arn) => described.get(arn)).filter((facts) => facts !== undefined);
      const verdicts = judgeNamesakes(namesakes, this.options.rules, now);
      await mapBounded(namesakes, STOPS_AT_ONCE, async (facts) => {
        const verdict = verdicts.get(facts.arn);
        // Tasks that are due or unclear on their own have been dealt with already.
        if (verdict === undefined || verdict.do === 'keep' || verdict.reason !== 'name-held-twice') return;
        if (verdict.do === 'stop') await this.stop(facts, verdict.reason, verdict.because);
        else this.journal.report(nameplate(facts), verdict.reason, verdict.because);
      });
    }
  }

  /** The tasks of `shell`, whatever their family. */
  private async seeShells(): Promise<void> {
    const { tasks, options } = this;
    const filter = { startedBy: SHELL_STARTED_BY, desiredStatus: 'RUNNING' as const };
    for await (const arns of tasks.listPages(filter, options.signal)) {
      if (arns.length === 0) continue;
      const described = await tasks.describePage(arns, options.signal);
      this.tellFailures(described.failures);
      await mapBounded(described.tasks.map(factsOf), STOPS_AT_ONCE, async (facts) => {
        const verdict = judgeShell(facts, options.rules, tasks.now());
        if (verdict.do === 'stop') await this.stop(facts, verdict.reason, verdict.because);
        if (verdict.do === 'report') this.journal.report(nameplate(facts), verdict.reason, verdict.because);
      });
    }
  }

  private async stop(facts: TaskFacts, reason: StopReason, because: string): Promise<void> {
    if (!this.mayTouch(facts.arn)) return;
    try {
      if (!this.journal.dryRun) {
        await this.tasks.stop(facts.arn, `${STOP_REASON_PREFIXES.reaper}${reason} (${because})`, this.options.signal);
      }
      this.journal.stop(nameplate(facts), reason, because);
    } catch (error) {
      if (this.interrupted) throw error;
      this.journal.stopFailed(nameplate(facts), reason, error);
    }
  }

  private mayTouch(id: string): boolean {
    return this.options.only?.has(id) ?? true;
  }

  private async clear(kind: LeftoverKind): Promise<void> {
    const { options, journal, census } = this;
    if (!census.sawAll) return journal.leftoversSkipped(kind.kind, 'not every live task could be seen');
    try {
      const found = (await kind.find(census, this.tasks.now(), options.signal)).filter(({ id }) => this.mayTouch(id));
      await mapBounded(found, REMOVALS_AT_ONCE, async (leftover) => {
        try {
          if (!journal.dryRun) await kind.remove(leftover, options.signal);
          journal.leftover(kind.kind, leftover.id, leftover.because);
        } catch (error) {
          if (this.interrupted) throw error;
          journal.leftoverFailed(kind.kind, leftover.id, error);
        }
      });
    } catch (error) {
      if (this.interrupted) throw error;
      if (isMngrFargateError(error) && error.code === 'denied') journal.leftoversSkipped(kind.kind, error.message);
      else journal.callFailed(error);
    }
  }
}

/** The members that identify a task in the log. */
const nameplate = ({ arn, tags = {}, startedBy }: TaskFacts): object => ({
  taskArn: arn,
  host: tags[HOST_TAGS.hostName] ?? null,
  hostId: tags[HOST_TAGS.hostId] ?? null,
  provider: tags[HOST_TAGS.provider] ?? null,
  startedBy: startedBy ?? null,
});
