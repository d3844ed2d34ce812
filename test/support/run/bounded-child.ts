import type { ChildProcess } from 'node:child_process';

/** Less than a test may take, so that what a program has printed until then is in the test's failure. */
const PATIENCE_MS = 150_000;

/**
 * Kills the program after so many milliseconds, and closes its pipes, which what it has left running may hold open: so
 * that whoever waits for its end doesn't wait for ever.
 */
export function endInTime(child: ChildProcess, milliseconds = PATIENCE_MS): void {
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    child.stdout?.destroy();
    child.stderr?.destroy();
  }, milliseconds);
  child.once('close', () => clearTimeout(timer));
}
