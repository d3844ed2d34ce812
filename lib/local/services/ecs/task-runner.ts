import type { World } from '../../world';
import { runtimeIdsOf } from './container-settings';
import type { EcsContext } from './context';

/** How often stopped tasks that ECS no longer shows are forgotten. */
const SWEEP_INTERVAL_MS = 60_000;

/** Goes on with the tasks of an earlier endpoint, and forgets those that ended long ago. */
export class TaskRunner {
  private sweeper: NodeJS.Timeout | undefined;

  constructor(
    private readonly world: World,
    private readonly ecs: EcsContext,
  ) {}

  async start(): Promise<void> {
    const { tasks, lifecycle } = this.ecs;
    tasks.forgetExpired();
    const running = new Set(await this.world.runtime.running());
    for (const record of tasks.all()) {
      lifecycle.resume(
        record,
        runtimeIdsOf(record).some((id) => running.has(id)),
      );
    }
    this.sweeper = setInterval(() => tasks.forgetExpired(), SWEEP_INTERVAL_MS).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.sweeper);
    await this.ecs.lifecycle.close();
  }
}
