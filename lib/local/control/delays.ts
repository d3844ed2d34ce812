import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';

/** How long something takes, in milliseconds: always the same, one of a list in turn, or evenly between two figures. */
const durationSchema = z.union([
  z.number().min(0),
  z.array(z.number().min(0)).min(1),
  z.strictObject({ min: z.number().min(0), max: z.number().min(0) }),
]);

/** Stages of a task's life, in order, and what else AWS takes its time for. */
export const delaysSchema = z.strictObject({
  /** In PROVISIONING, until the network interface exists and the task is PENDING. */
  provisioning: durationSchema.optional(),
  /** In PENDING, before the image pull begins. */
  pending: durationSchema.optional(),
  /** In PENDING, for the pull. */
  pull: durationSchema.optional(),
  /** From the container's start until ECS says RUNNING: sshd already answers. */
  activating: durationSchema.optional(),
  /** From a container's start until its ExecuteCommand agent runs. */
  agent: durationSchema.optional(),
  /** From the stop to SIGTERM. */
  deactivating: durationSchema.optional(),
  /** From the container's end until the task is STOPPED. */
  deprovisioning: durationSchema.optional(),
  /** From a call until CloudTrail's event history shows it. */
  trail: durationSchema.optional(),
});

export type Delays = z.infer<typeof delaysSchema>;
export type Stage = keyof Delays;

/** Scripted durations. None are set at first: nothing is delayed. */
export class DelayPlan {
  private delays: Delays = {};
  private turns = new Map<Stage, number>();

  /** Replaces all durations. */
  set(delays: Delays): void {
    this.delays = delays;
    this.turns = new Map();
  }

  get current(): Delays {
    return this.delays;
  }

  /** Milliseconds that the stage takes this time. */
  take(stage: Stage): number {
    const duration = this.delays[stage];
    if (duration === undefined) return 0;
    if (typeof duration === 'number') return duration;
    if (!Array.isArray(duration)) return duration.min + Math.random() * Math.max(0, duration.max - duration.min);
    const turn = this.turns.get(stage) ?? 0;
    this.turns.set(stage, turn + 1);
    return duration[turn % duration.length] as number;
  }

  /** Waits as long as the stage takes. Rejects with AbortError when the signal fires. */
  async wait(stage: Stage, signal?: AbortSignal): Promise<void> {
    const milliseconds = this.take(stage);
    signal?.throwIfAborted();
    if (milliseconds > 0) await sleep(milliseconds, undefined, { signal });
  }
}
