import type { Task } from '@aws-sdk/client-ecs';

/** If a task ends sooner than this after its creation, its successor may end as soon. Milliseconds. */
const SHORT_LIFE = 30_000;
const FIRST_PAUSE = 1000;
/** ECS developer guide, "Amazon ECS service throttle logic": at most 27 minutes between two tries. Milliseconds. */
const LONGEST_PAUSE = 27 * 60_000;

interface Run {
  shortLives: number;
  /** Epoch milliseconds of this machine's clock before which nothing is started. */
  notBefore: number;
}

/** Slows down a service whose tasks keep ending: the first is replaced at once, each further one later. */
export class Restarts {
  private readonly runs = new Map<string, Run>();

  /** Notes that a task of a service has ended by itself. Returns how many in a row ended early. */
  noteEnd(service: string, { createdAt, stoppingAt }: Task): number {
    const life = (stoppingAt?.getTime() ?? 0) - (createdAt?.getTime() ?? 0);
    const shortLives = life < SHORT_LIFE ? (this.runs.get(service)?.shortLives ?? 0) + 1 : 0;
    const pause = shortLives < 2 ? 0 : Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (shortLives - 2));
    this.runs.set(service, { shortLives, notBefore: Date.now() + pause });
    return shortLives;
  }

  /** Milliseconds until the service may start a task. */
  pause(service: string): number {
    return Math.max(0, (this.runs.get(service)?.notBefore ?? 0) - Date.now());
  }

  /** A change of the service resets the pauses. */
  forget(service: string): void {
    this.runs.delete(service);
  }
}
