import * as z from 'zod';
import { UnknownTaskError } from '../../control/errors';
import type { ControlRoutes } from '../../control/routes';
import type { World } from '../../world';
import { runtimeIdsOf } from './container-settings';
import { ecsContext } from './context';
import { seedSchema, syntheticTask } from './seed';
import type { SeedRequest } from './seed';
import type { TaskRecord } from './task-record';

const consistencySchema = z.strictObject({
  /** Milliseconds for which a new task isn't shown. */
  listTasks: z.number().min(0).default(0),
  describeTasks: z.number().min(0).default(0),
});

/** What tests, benchmarks and demonstrations may do to tasks beyond ECS's own API. */
export class TaskControls {
  constructor(private readonly world: World) {}

  private get ecs() {
    return this.world.part(ecsContext);
  }

  /** Number of tasks by their last status. */
  counts(): Readonly<Record<string, number>> {
    const counts: Record<string, number> = {};
    for (const { task } of this.ecs.tasks.all()) {
      const status = task.lastStatus ?? 'UNKNOWN';
      counts[status] = (counts[status] ?? 0) + 1;
    }
    return counts;
  }

  /** Creates running tasks without containers, to test how a large fleet is handled. */
  seed(request: SeedRequest): { readonly taskArns: readonly string[] } {
    const records = Array.from({ length: request.count }, (_, index) => syntheticTask(this.ecs, request, index + 1));
    for (const record of records) this.ecs.tasks.save(record);
    return { taskArns: records.map(({ task }) => task.taskArn ?? '') };
  }

  removeSeeded(): { readonly removed: number } {
    const { tasks, interfaces } = this.ecs;
    const seeded = [...tasks.all()].filter(({ synthetic }) => synthetic === true);
    for (const record of seeded) {
      if (record.networkInterfaceId !== undefined) interfaces.delete(record.networkInterfaceId);
      tasks.forget(record);
    }
    return { removed: seeded.length };
  }

  /** The task's machine fails: SIGKILL, and ECS isn't told. */
  async kill(id: string): Promise<void> {
    await Promise.all(runtimeIdsOf(this.find(id)).map((container) => this.world.runtime.kill(container)));
  }

  /** Spot reclaims the capacity. */
  interruptSpot(id: string): void {
    this.ecs.lifecycle.stop(this.find(id), 'SpotInterruption', 'Your Spot Task was interrupted.');
  }

  private find(id: string): TaskRecord {
    const record = [...this.ecs.tasks.all()].find((candidate) => candidate.id === id);
    if (record === undefined) throw new UnknownTaskError(`there is no task ${id}`);
    return record;
  }
}

export const taskControls = (world: World): TaskControls => new TaskControls(world);

export function taskControlRoutes(world: World): ControlRoutes {
  const controls = world.part(taskControls);
  const { tasks } = world.part(ecsContext);
  return {
    'PUT consistency': (body) => Object.assign(tasks.consistency, consistencySchema.parse(body)),
    'POST tasks/seed': (body) => controls.seed(seedSchema.parse(body)),
    'DELETE tasks/seed': () => controls.removeSeeded(),
    'POST tasks/*/kill': (_, id) => controls.kill(id),
    'POST tasks/*/interrupt': (_, id) => controls.interruptSpot(id),
  };
}
