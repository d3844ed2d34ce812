import type {
  ImageSource,
  PreparedImage,
  TaskAddress,
  TaskExit,
  TaskRuntime,
  TaskSpec,
} from '../../../lib/local/runtimes/runtime';
import { ImageUnavailableError } from '../../../lib/local/runtimes/runtime';

interface FakeTask {
  readonly spec: TaskSpec;
  readonly ended: Promise<TaskExit>;
  readonly end: (exit: TaskExit) => void;
  running: boolean;
}

/** Runs nothing: tests say when a task's process ends, and with what. Outlives endpoints, as a machine does. */
export class FakeRuntime implements TaskRuntime {
  readonly kind = 'process';
  readonly description = 'nothing is run';
  readonly tasks = new Map<string, FakeTask>();
  readonly reserved = new Set<string>();
  /** Graces with which tasks were stopped, by task id. */
  readonly stops = new Map<string, number>();
  readonly images: ImageSource[] = [];
  logLines: string[] = [];
  /** Images with this text in their URI can't be had. */
  unavailable = 'unavailable';
  /** Port of every task's address. */
  port = 22;
  removed = false;
  private addresses = 0;

  prepare(image: ImageSource): Promise<PreparedImage> {
    this.images.push(image);
    if (image.type === 'uri' && image.uri.includes(this.unavailable)) {
      return Promise.reject(new ImageUnavailableError(`${image.uri} is not to be had`));
    }
    return Promise.resolve({ reference: image.type === 'uri' ? image.uri : image.path });
  }

  reserveAddress(taskId: string): Promise<TaskAddress> {
    this.reserved.add(taskId);
    this.addresses += 1;
    return Promise.resolve({ ip: `127.9.${this.addresses >> 8}.${this.addresses % 256}`, port: this.port });
  }

  releaseAddress(): Promise<void> {
    const [first] = this.reserved;
    if (first !== undefined) this.reserved.delete(first);
    return Promise.resolve();
  }

  start(spec: TaskSpec): Promise<void> {
    let end: (exit: TaskExit) => void = () => undefined;
    const ended = new Promise<TaskExit>((resolve) => {
      end = resolve;
    });
    this.tasks.set(spec.taskId, { spec, ended, end, running: true });
    return Promise.resolve();
  }

  /** The task's process ends on its own. */
  exit(taskId: string, exitCode: number, oomKilled = false): void {
    const task = this.tasks.get(taskId);
    if (task === undefined) throw new Error(`no task ${taskId} runs`);
    task.running = false;
    task.end({ exitCode, oomKilled });
  }

  stop(taskId: string, graceSeconds: number): Promise<void> {
    this.stops.set(taskId, graceSeconds);
    if (this.tasks.get(taskId)?.running === true) this.exit(taskId, 143);
    return Promise.resolve();
  }

  kill(taskId: string): Promise<void> {
    if (this.tasks.get(taskId)?.running === true) this.exit(taskId, 137);
    return Promise.resolve();
  }

  wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
      const task = this.tasks.get(taskId);
      if (task === undefined) resolve({ exitCode: 137, oomKilled: false });
      else void task.ended.then(resolve);
    });
  }

  running(): Promise<string[]> {
    return Promise.resolve([...this.tasks.values()].filter(({ running }) => running).map(({ spec }) => spec.taskId));
  }

  readLogs(taskId: string, fromOffset: number): ReturnType<TaskRuntime['readLogs']> {
    if (!this.tasks.has(taskId)) return Promise.resolve({ lines: [], offset: fromOffset });
    const at = new Date();
    const lines = this.logLines.slice(fromOffset).map((message) => ({ at, message }));
    return Promise.resolve({ lines, offset: this.logLines.length });
  }

  remove(): Promise<void> {
    return Promise.resolve();
  }

  removeAll(): Promise<void> {
    this.tasks.clear();
    this.removed = true;
    return Promise.resolve();
  }
}
