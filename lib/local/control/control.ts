import type { Clock } from '../state/clock';
import type { EcsContext } from '../services/ecs/context';
import type { TaskRecord } from '../services/ecs/task-record';
import type { Tasks } from '../services/ecs/tasks';
import type { TaskRuntime } from '../runtimes/runtime';
import type { CallLog } from './call-log';
import type { DelayPlan } from './delays';
import type { FaultPlan } from './faults';
import { syntheticTask } from './seed';
import type { SeedRequest } from './seed';
import type { Throttles } from './throttles';

export interface ControlOptions {
  readonly ecs: EcsContext;
  readonly delays: DelayPlan;
  readonly faults: FaultPlan;
  readonly throttles: Throttles;
  readonly callLog: CallLog;
  readonly clock: Clock;
  readonly runtime: TaskRuntime;
}

/** A control names a task that isn't there. */
export class UnknownTaskError extends Error {
  override readonly name = 'UnknownTaskError';
}

/** What tests, benchmarks and demonstrations may do to the endpoint beyond AWS's own APIs. */
export class Control {
  readonly delays: DelayPlan;
  readonly faults: FaultPlan;
  readonly throttles: Throttles;
  readonly callLog: CallLog;
  readonly tasks: Tasks;

  constructor(private readonly options: ControlOptions) {
    this.delays = options.delays;
    this.faults = options.faults;
    this.throttles = options.throttles;
    this.callLog = options.callLog;
    this.tasks = options.ecs.tasks;
  }

  status(): object {
    const counts: Record<string, number> = {};
    for (const { task } of this.tasks.all()) {
      const status = task.lastStatus ?? 'UNKNOWN';
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return {
      tasks: counts,
      runtime: { kind: this.options.runtime.kind, description: this.options.runtime.description },
      throttling: this.throttles.enabled,
      pid: process.pid,
    };
  }

  advanceClock(milliseconds: number): { readonly now: Date } {
    this.options.clock.advance(milliseconds);
    this.tasks.forgetExpired();
    return { now: this.options.clock.now() };
  }

  /** Makes running tasks without containers, to see how a large fleet is handled. */
  seed(request: SeedRequest): { readonly taskArns: readonly string[] } {
    const records = Array.from({ length: request.count }, (_, index) =>
      syntheticTask(this.options.ecs, request, index + 1),
    );
    for (const record of records) this.tasks.save(record);
    return { taskArns: records.map(({ task }) => task.taskArn ?? '') };
  }

  removeSeeded(): { readonly removed: number } {
    const seeded = [...this.tasks.all()].filter(({ synthetic }) => synthetic === true);
    for (const record of seeded) {
      if (record.networkInterfaceId !== undefined) this.options.ecs.interfaces.delete(record.networkInterfaceId);
      this.tasks.forget(record);
    }
    return { removed: seeded.length };
  }

  /** The task's machine dies: SIGKILL, without a word to ECS. */
  async kill(id: string): Promise<void> {
    await this.options.runtime.kill(this.find(id).id);
  }

  /** Spot takes the capacity back. */
  interruptSpot(id: string): void {
    this.options.ecs.lifecycle.stop(this.find(id), 'SpotInterruption', 'Your Spot Task was interrupted.');
  }

  /** No delays, faults, throttles or late answers; tasks stay. */
  reset(): void {
    this.delays.set({});
    this.faults.set([]);
    this.throttles.disable();
    Object.assign(this.tasks.consistency, { listTasks: 0, describeTasks: 0 });
    this.callLog.reset();
  }

  private find(id: string): TaskRecord {
    const record = [...this.tasks.all()].find((candidate) => candidate.id === id);
    if (record === undefined) throw new UnknownTaskError(`there is no task ${id}`);
    return record;
  }
}
