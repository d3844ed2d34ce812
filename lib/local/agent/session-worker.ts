import type { ExecRequest, TaskProcess } from '../runtimes/runtime';

/**
 * Takes the name of the agent's program, of which the kernel keeps 15 characters, and lives until its input ends: only
 * built-ins, so that the process is the shell itself.
 */
const WORKER = 'printf ssm-session-worker >/proc/self/comm; while read -r _; do :; done';

/**
 * The process that the agent has in the container for each session, `ssm-session-worker`: what counts sessions in a task
 * looks for it. A container that ends meanwhile takes it along, and one without a shell has none.
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
