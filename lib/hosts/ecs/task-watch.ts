import type { Task } from '@aws-sdk/client-ecs';
import { orAborted } from '../../util/abort';
import { isLasting } from '../../aws/aws-errors';
import type { Tasks } from './tasks';
import { TASKS_PER_CALL } from './tasks';

/** Milliseconds between two DescribeTasks: short for new tasks, then longer to spare the account's rate limit. */
const QUICK_MS = 250;
const SLOW_MS = 1000;
const QUICK_FOR_MS = 90_000;

interface Watcher {
  readonly arn: string;
  readonly since: number;
  readonly onTask: (task: Task) => void;
  readonly onError: (error: unknown) => void;
}

/** Polls all tasks that callers are waiting for, a hundred per DescribeTasks, and only while somebody is waiting. */
export class TaskWatch {
  private readonly watchers = new Set<Watcher>();
  private readonly ended = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private looking = false;

  constructor(private readonly tasks: Tasks) {}

  /**
   * Calls `onTask` with every state seen until the returned function is called, and `onError` with what AWS would say at
   * every repetition.
   */
  watch(arn: string, onTask: (task: Task) => void, onError: (error: unknown) => void): () => void {
    const watcher = { arn, since: performance.now(), onTask, onError };
    this.watchers.add(watcher);
    this.schedule(0);
    return () => {
      this.watchers.delete(watcher);
      if (this.watchers.size === 0) clearTimeout(this.timer);
    };
  }

  /** The first value that `found` returns for a state of the task. Throws `aborted`, and whatever `found` throws. */
  async until<T>(arn: string, found: (task: Task) => T | undefined, signal?: AbortSignal): Promise<T> {
    let stop = (): void => undefined;
    const result = new Promise<T>((resolve, reject) => {
      stop = this.watch(
        arn,
        (task) => {
          try {
            const value = found(task);
            if (value !== undefined) resolve(value);
          } catch (error) {
            reject(error as Error);
          }
        },
        reject,
      );
    });
    try {
      return await orAborted(result, `waiting for task ${arn}`, signal);
    } finally {
      stop();
    }
  }

  close(): void {
    this.ended.abort();
    clearTimeout(this.timer);
    this.watchers.clear();
  }

  private schedule(milliseconds: number): void {
    if (this.looking || this.ended.signal.aborted) return;
    clearTimeout(this.timer);
    this.timer = setTimeout(() => void this.look(), milliseconds);
  }

  private async look(): Promise<void> {
    this.looking = true;
    const started = performance.now();
    const watchers = [...this.watchers];
    try {
      const arns = [...new Set(watchers.map(({ arn }) => arn))];
      const tasks = await this.tasks.describe(arns, this.ended.signal);
      const byArn = new Map(tasks.map((task) => [task.taskArn, task]));
      for (const watcher of watchers) {
        const task = byArn.get(watcher.arn);
        if (task !== undefined && this.watchers.has(watcher)) watcher.onTask(task);
      }
    } catch (error) {
      // A look that fails in passing is made again: how long to wait is for each watcher to say.
      if (isLasting(error)) for (const watcher of watchers) watcher.onError(error);
    } finally {
      this.looking = false;
    }
    if (this.watchers.size === 0) return;
    const youngest = Math.max(...[...this.watchers].map(({ since }) => since));
    const calls = Math.ceil(this.watchers.size / TASKS_PER_CALL);
    const interval = calls * (performance.now() - youngest < QUICK_FOR_MS ? QUICK_MS : SLOW_MS);
    this.schedule(Math.max(0, interval - (performance.now() - started)));
  }
}
