import type { ExecRequest, TaskProcess } from '../runtimes/runtime';

/**
 * Takes the name of the agent's program, of which the kernel keeps 15 characters, and runs until its input ends. Only
 * uses built-ins, so that the process is the shell itself.
 */
const WORKER = 'printf ssm-session-worker >/proc/self/comm; while read -r _; do :; done';

/**
 * The process that the agent has in the container for each session, `ssm-session-worker`: programs that count the
 * sessions in a task look for it. It ends with its container, and a container without a shell has none.
 */
export class SessionWorker {
  private process: Promise<TaskProcess | undefined> = Promise.resolve(undefined);

  constructor(private readonly container: { exec(request: ExecRequest): Promise<TaskProcess> }) {}

  start(): void {
    this.process = this.container.exec({ argv: ['/bin/sh', '-c', WORKER] }).catch(() => undefined);
  }

  end(): void {
    void this.process.then((process) => process?.stdin.end());
  }
}
