import { constants } from 'node:os';
import { PassThrough } from 'node:stream';
import type {
  ExecRequest,
  ImageSource,
  PreparedImage,
  TaskAddress,
  TaskExit,
  TaskProcess,
  TaskRuntime,
  TaskSpec,
} from '../../../lib/local/runtimes/runtime';
import { ImageUnavailableError, TaskNotRunningError } from '../../../lib/local/runtimes/runtime';

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
  /** What was asked of exec. */
  readonly execs: { readonly taskId: string; readonly request: ExecRequest }[] = [];
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

  /** Starts nothing either: what is written to the process comes back, until it is killed or its input ends. */
  exec(taskId: string, request: ExecRequest): Promise<TaskProcess> {
    const task = this.tasks.get(taskId);
    if (task?.running !== true) return Promise.reject(new TaskNotRunningError(taskId));
    const pipe = new PassThrough();
    let end: (exitCode: number) => void = () => undefined;
    const exitCode = new Promise<number>((resolve) => {
      end = resolve;
    });
    pipe.once('end', () => end(0));
    this.execs.push({ taskId, request });
    const kill = (signal: NodeJS.Signals): void => {
      end(128 + constants.signals[signal]);
      pipe.end();
    };
    void task.ended.then(() => kill('SIGKILL'));
    return Promise.resolve({
      stdin: pipe,
      stdout: pipe,
      stderr: request.terminal === undefined ? new PassThrough().end() : undefined,
      exitCode,
      resize: () => Promise.resolve(),
      kill: (signal) => Promise.resolve(kill(signal)),
    });
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
