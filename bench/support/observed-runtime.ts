import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type {
  ExecRequest,
  ImageSource,
  PreparedImage,
  TaskAddress,
  TaskExit,
  TaskProcess,
  TaskRuntime,
  TaskSpec,
} from '../../lib/local/runtimes/runtime';
import { monotonic } from './monotonic';

/** A task's sshd took its first connection. */
export interface Accepted {
  readonly ip: string;
  /** On this machine's monotonic clock, in milliseconds. */
  readonly at: number;
}

const KNOCK_INTERVAL_MS = 10;
/** A task that hasn't started sshd by then never will. */
const BOOT_TIMEOUT_MS = 60_000;

/**
 * A runtime that knocks on the sshd of every task it starts, by TCP connections 10 ms apart, and reports the moment at
 * which one was accepted. The loop runs from the container's start, so that it costs nothing while a task is provisioned.
 */
export class ObservedRuntime implements TaskRuntime {
  readonly kind: TaskRuntime['kind'];
  readonly description: string;

  constructor(
    private readonly runtime: TaskRuntime,
    private readonly onAccepted: (accepted: Accepted) => void,
  ) {
    this.kind = runtime.kind;
    this.description = runtime.description;
  }

  async start(spec: TaskSpec): Promise<void> {
    void this.observe(spec);
    await this.runtime.start(spec);
  }

  prepare(image: ImageSource, onProgress?: (line: string) => void): Promise<PreparedImage> {
    return this.runtime.prepare(image, onProgress);
  }

  reserveAddress(taskId: string): Promise<TaskAddress> {
    return this.runtime.reserveAddress(taskId);
  }

  releaseAddress(address: TaskAddress): Promise<void> {
    return this.runtime.releaseAddress(address);
  }

  exec(taskId: string, request: ExecRequest): Promise<TaskProcess> {
    return this.runtime.exec(taskId, request);
  }

  stop(taskId: string, graceSeconds: number): Promise<void> {
    return this.runtime.stop(taskId, graceSeconds);
  }

  kill(taskId: string): Promise<void> {
    return this.runtime.kill(taskId);
  }

  wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    return this.runtime.wait(taskId, signal);
  }

  running(): Promise<string[]> {
    return this.runtime.running();
  }

  readLogs(taskId: string, fromOffset: number): ReturnType<TaskRuntime['readLogs']> {
    return this.runtime.readLogs(taskId, fromOffset);
  }

  remove(taskId: string): Promise<void> {
    return this.runtime.remove(taskId);
  }

  removeAll(): Promise<void> {
    return this.runtime.removeAll();
  }

  private async observe({ address }: TaskSpec): Promise<void> {
    const deadline = monotonic() + BOOT_TIMEOUT_MS;
    while (monotonic() < deadline) {
      if (await accepts(address)) {
        this.onAccepted({ ip: address.ip, at: monotonic() });
        return;
      }
      await sleep(KNOCK_INTERVAL_MS);
    }
  }
}

function accepts({ ip, port }: TaskAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection({ host: ip, port });
    const settle = (accepted: boolean): void => {
      socket.destroy();
      resolve(accepted);
    };
    socket.once('connect', () => settle(true)).once('error', () => settle(false));
  });
}
