import type { Io } from './io';
import { exitCodeOfSignal } from './exit-codes';

/** Ctrl-C and its like: the first asks the work to stop and clean up, the second ends the program at once. */
export interface Interrupts {
  readonly signal: AbortSignal;
  /** Exit code of the signal that came, 141 for a reader that went away; undefined when nothing came. */
  exitCode(): number | undefined;
  /** Why the output could not be written, for example a full disk; undefined while it can. */
  outputProblem(): Error | undefined;
  /** What the first Ctrl-C is answered with. Default: nothing. */
  announce(text: string): void;
  /** Leaves Ctrl-C to a child process that shares the terminal while `work` runs. */
  leaveTo<Result>(work: () => Promise<Result>): Promise<Result>;
  dispose(): void;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export function installInterrupts({ stdout, stderr }: Io): Interrupts {
  const controller = new AbortController();
  let exitCode: number | undefined;
  let outputProblem: Error | undefined;
  let suspended = false;
  let announcement: string | undefined;

  const onSignal = (signal: NodeJS.Signals): void => {
    if (suspended && signal === 'SIGINT') return;
    if (exitCode !== undefined) process.exit(exitCodeOfSignal(signal));
    exitCode = exitCodeOfSignal(signal);
    if (announcement !== undefined) stderr.write(`\nmngr-fargate: ${announcement}\n`);
    controller.abort();
  };
  const onStreamError = (error: NodeJS.ErrnoException): void => {
    // The reader of a pipe has gone (`mngr-fargate list | head -1`), which is not an error.
    if (error.code === 'EPIPE') exitCode ??= exitCodeOfSignal('PIPE');
    else outputProblem ??= error;
    controller.abort();
  };

  for (const signal of SIGNALS) process.on(signal, onSignal);
  for (const stream of [stdout, stderr]) stream.on('error', onStreamError);
  return {
    signal: controller.signal,
    exitCode: () => exitCode,
    outputProblem: () => outputProblem,
    announce(text) {
      announcement = text;
    },
    async leaveTo(work) {
      suspended = true;
      try {
        return await work();
      } finally {
        suspended = false;
      }
    },
    dispose() {
      for (const signal of SIGNALS) process.off(signal, onSignal);
    },
  };
}
