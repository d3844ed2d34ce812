import { ecsContext } from '../services/ecs/context';
import type { SeedRequest } from '../services/ecs/seed';
import { taskControls } from '../services/ecs/task-controls';
import { sessionFaults, sessionFaultsSchema } from '../services/ssm/session-faults';
import type { TaskControls } from '../services/ecs/task-controls';
import type { Tasks } from '../services/ecs/tasks';
import type { World } from '../world';
import type { CallLog } from './call-log';
import type { DelayPlan } from './delays';
import type { FaultPlan } from './faults';
import type { Throttles } from './throttles';

/** What tests, benchmarks and demonstrations may do to the endpoint beyond AWS's own APIs. */
export class Control {
  readonly delays: DelayPlan;
  readonly faults: FaultPlan;
  readonly throttles: Throttles;
  readonly callLog: CallLog;
  readonly tasks: Tasks;
  private readonly taskControls: TaskControls;

  constructor(private readonly world: World) {
    this.delays = world.delays;
    this.faults = world.faults;
    this.throttles = world.throttles;
    this.callLog = world.callLog;
    this.tasks = world.part(ecsContext).tasks;
    this.taskControls = world.part(taskControls);
  }

  status(): object {
    const { kind, description } = this.world.runtime;
    return {
      tasks: this.taskControls.counts(),
      runtime: { kind, description },
      throttling: this.throttles.enabled,
      pid: process.pid,
    };
  }

  advanceClock(milliseconds: number): { readonly now: Date } {
    this.world.clock.advance(milliseconds);
    this.tasks.forgetExpired();
    return { now: this.world.clock.now() };
  }

  seed(request: SeedRequest): { readonly taskArns: readonly string[] } {
    return this.taskControls.seed(request);
  }

  removeSeeded(): { readonly removed: number } {
    return this.taskControls.removeSeeded();
  }

  kill(id: string): Promise<void> {
    return this.taskControls.kill(id);
  }

  interruptSpot(id: string): void {
    this.taskControls.interruptSpot(id);
  }

  /** Removes delays, faults, throttling and late answers; tasks stay. */
  reset(): void {
    this.delays.set({});
    this.faults.set([]);
    this.throttles.disable();
    Object.assign(this.tasks.consistency, { listTasks: 0, describeTasks: 0 });
    this.world.part(sessionFaults).set(sessionFaultsSchema.parse({}));
    this.callLog.reset();
  }
}
