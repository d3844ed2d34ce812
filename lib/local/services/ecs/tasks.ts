import type { Clock } from '../../state/clock';
import type { Collection, Store } from '../../state/store';
import type { TaskRecord } from './task-record';

/** Stopped tasks show this long (ECS API, DescribeTasks). Milliseconds. */
export const STOPPED_TASK_VISIBLE = 3600_000;

export interface TaskFilter {
  readonly cluster: string;
  readonly desiredStatus: string;
  readonly startedBy?: string;
  readonly family?: string;
  readonly launchType?: string;
  readonly group?: string;
}

export const familyOf = (record: TaskRecord): string =>
  /task-definition\/(.+):\d+$/.exec(record.task.taskDefinitionArn ?? '')?.[1] ?? '';

/** The delay with which ListTasks and DescribeTasks see a change, on request. Milliseconds. */
export interface ConsistencyDelay {
  listTasks: number;
  describeTasks: number;
}

/** Every task that ECS still shows. */
export class Tasks {
  readonly consistency: ConsistencyDelay = { listTasks: 0, describeTasks: 0 };
  private readonly records: Collection<TaskRecord>;
  private nextSequence = 1;

  constructor(
    store: Store,
    private readonly clock: Clock,
  ) {
    this.records = store.collection<TaskRecord>('tasks');
    for (const { sequence } of this.records.values()) this.nextSequence = Math.max(this.nextSequence, sequence + 1);
  }

  takeSequence(): number {
    return this.nextSequence++;
  }

  /** Notes a new or changed task; a change increments its version, as in ECS. */
  save(record: TaskRecord): void {
    record.task.version = (record.task.version ?? 0) + 1;
    this.records.set(record.id, record);
  }

  /** Notes a change that has no version of its own, such as tags. */
  saveQuietly(record: TaskRecord): void {
    this.records.set(record.id, record);
  }

  get(cluster: string, id: string): TaskRecord | undefined {
    const record = this.records.get(id);
    return record?.cluster === cluster && !this.expired(record) ? record : undefined;
  }

  /** As DescribeTasks finds it: a task just made may not show yet. */
  describe(cluster: string, id: string): TaskRecord | undefined {
    const record = this.get(cluster, id);
    return record !== undefined && this.seen(record, this.consistency.describeTasks) ? record : undefined;
  }

  /** Up to `limit` tasks after a sequence number, in the order they were made, as ListTasks finds them. */
  list(filter: TaskFilter, after: number, limit: number): TaskRecord[] {
    const found: TaskRecord[] = [];
    for (const record of this.records.values()) {
      if (record.sequence <= after || !this.matches(record, filter)) continue;
      found.push(record);
      if (found.length === limit) break;
    }
    return found;
  }

  all(): IterableIterator<TaskRecord> {
    return this.records.values();
  }

  /** Forgets tasks that stopped longer ago than ECS shows them. */
  forgetExpired(): void {
    for (const record of this.records.values()) if (this.expired(record)) this.records.delete(record.id);
  }

  forget(record: TaskRecord): void {
    this.records.delete(record.id);
  }

  private matches(record: TaskRecord, filter: TaskFilter): boolean {
    const { task } = record;
    return (
      record.cluster === filter.cluster &&
      task.desiredStatus === filter.desiredStatus &&
      (filter.startedBy === undefined || task.startedBy === filter.startedBy) &&
      (filter.family === undefined || familyOf(record) === filter.family) &&
      (filter.group === undefined || task.group === filter.group) &&
      (filter.launchType === undefined || task.launchType === filter.launchType) &&
      !this.expired(record) &&
      this.seen(record, this.consistency.listTasks)
    );
  }

  private seen({ task }: TaskRecord, delay: number): boolean {
    return delay === 0 || this.clock.now().getTime() - (task.createdAt?.getTime() ?? 0) >= delay;
  }

  private expired({ task }: TaskRecord): boolean {
    const stoppedAt = task.stoppedAt?.getTime();
    return stoppedAt !== undefined && this.clock.now().getTime() - stoppedAt > STOPPED_TASK_VISIBLE;
  }
}
