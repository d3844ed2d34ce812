import type { Readable, Writable } from 'node:stream';

/**
 * What runs a task's containers for the endpoint: a Docker-compatible engine, or processes of this machine. A runtime
 * knows nothing about ECS: states, stop codes and tags belong to the endpoint. `taskId` is the id of one container: a
 * task's first one goes by the task's own id, each further one by another, and `TaskSpec.network` says which belong
 * together.
 */
export interface TaskRuntime {
  readonly kind: 'container' | 'process';
  /** One sentence for `local status`: what it is and how much it isolates. */
  readonly description: string;
  /** Why `TaskSpec.mounts` can't be honoured; undefined if they can. */
  readonly cannotMount?: string;
  /** Makes an image startable (builds it from its folder, checks that a URI can be had). Idempotent, cached by content. */
  prepare(image: ImageSource, onProgress?: (line: string) => void): Promise<PreparedImage>;
  /** Reserves an address and port for the task's sshd, before anything runs there; `release` frees it. */
  reserveAddress(taskId: string): Promise<TaskAddress>;
  releaseAddress(address: TaskAddress): Promise<void>;
  start(spec: TaskSpec): Promise<void>;
  /**
   * Starts a process beside the main process of a running task: as root, in the task's file system and namespaces, with
   * the task's environment and working directory. Rejects with TaskNotRunningError and CommandNotStartedError.
   */
  exec(taskId: string, request: ExecRequest): Promise<TaskProcess>;
  /** SIGTERM, then SIGKILL after `graceSeconds`. Returns once nothing of the task runs. Idempotent. */
  stop(taskId: string, graceSeconds: number): Promise<void>;
  /** SIGKILL at once, like a machine that fails. */
  kill(taskId: string): Promise<void>;
  /** Resolves when the task's main process has ended, also for a task that an earlier endpoint process started. */
  wait(taskId: string, signal: AbortSignal): Promise<TaskExit>;
  /** Ids of the tasks of this endpoint that are running, for recovery after a restart. */
  running(): Promise<string[]>;
  /** Output lines from `fromOffset` on (bytes), stdout and stderr together, oldest first, each with its time. */
  readLogs(taskId: string, fromOffset: number): Promise<{ lines: { at: Date; message: string }[]; offset: number }>;
  /** Removes what is left of a task: container, files, logs. */
  remove(taskId: string): Promise<void>;
  /** Removes everything that belongs to this endpoint: every task, network, address. */
  removeAll(): Promise<void>;
}

export type ImageSource =
  | {
      readonly type: 'folder';
      readonly path: string;
      readonly dockerfile?: string;
      readonly buildArgs?: Readonly<Record<string, string>>;
      readonly platform?: string;
    }
  | { readonly type: 'uri'; readonly uri: string };

export interface PreparedImage {
  /** Image id for an engine; the folder with the entrypoint for processes. */
  readonly reference: string;
}

/** `port` is 22 where the machine allows; the endpoint reports any other through `networkBindings`. */
export interface TaskAddress {
  readonly ip: string;
  readonly port: number;
}

export interface TaskSpec {
  readonly taskId: string;
  readonly image: PreparedImage;
  readonly address: TaskAddress;
  readonly environment: Readonly<Record<string, string>>;
  readonly entryPoint?: readonly string[];
  readonly command?: readonly string[];
  readonly workingDirectory?: string;
  readonly user?: string;
  /** CPU units and MiB, as limits where the runtime can set them. */
  readonly cpu: number;
  readonly memory: number;
  readonly initProcess: boolean;
  readonly containerName: string;
  /**
   * Id of the task whose containers share one network, of which the first is called the same; it lasts until that one
   * is removed. Without it, the container has a network of its own.
   */
  readonly network?: string;
  /** Default: none. */
  readonly mounts?: readonly TaskMount[];
  /** Nothing but the mounts can be written. Only containers can have that. */
  readonly readOnlyRoot?: boolean;
}

/** A folder of this machine that a container sees under a path of its own. */
export interface TaskMount {
  /** Absolute path on this machine. */
  readonly source: string;
  /** Absolute path in the container; made if it isn't there. */
  readonly target: string;
  readonly readOnly: boolean;
}

/** A terminal's size in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

export interface ExecRequest {
  /** The program and its arguments; no shell reads them. */
  readonly argv: readonly string[];
  /** Added to the task's environment, or put in place of what it has. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Gives the process a terminal of this size; without it, pipes. */
  readonly terminal?: TerminalSize;
}

/** A process that `exec` started. */
export interface TaskProcess {
  readonly stdin: Writable;
  /** Everything that the process prints when it has a terminal. Read it, or the process blocks. */
  readonly stdout: Readable;
  /** Undefined when the process has a terminal. */
  readonly stderr: Readable | undefined;
  /** The exit code, 128 + the signal's number for a killed process; 137 when the task's end took the process with it. */
  readonly exitCode: Promise<number>;
  /** Changes the terminal's size; the process gets SIGWINCH. Does nothing without a terminal. */
  resize(size: TerminalSize): Promise<void>;
  /** Sends a signal to the process. Does nothing once it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** `exitCode` is 128 + the signal's number for a killed process, as ECS shows it. */
export interface TaskExit {
  readonly exitCode: number;
  readonly oomKilled: boolean;
}

/** Thrown by prepare for an image that can't be had; the endpoint turns it into CannotPullContainerError. */
export class ImageUnavailableError extends Error {
  override readonly name = 'ImageUnavailableError';
}

/** Thrown by exec when the task has no running main process. */
export class TaskNotRunningError extends Error {
  override readonly name = 'TaskNotRunningError';
  constructor(taskId: string) {
    super(`task ${taskId} is not running`);
  }
}

/** Thrown by exec for a program that can't be started; `reason` says why as the system does. */
export class CommandNotStartedError extends Error {
  override readonly name = 'CommandNotStartedError';
  constructor(
    readonly program: string,
    readonly reason: string,
  ) {
    super(`${program} can't be started: ${reason}`);
  }
}
