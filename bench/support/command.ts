import { spawn } from 'node:child_process';

export interface Command {
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  /** All of its environment. Default: this process's. */
  readonly environment?: NodeJS.ProcessEnv;
}

export interface CommandRun {
  /** From before the process was made until it had ended and its output was read. */
  readonly milliseconds: number;
  readonly stdout: string;
}

/** Last characters of a failed command's output that its error shows. */
const OUTPUT_TAIL = 2000;

/** Runs a command to its end. Rejects with its output when it doesn't exit with 0. */
export async function runCommand({ program, args, cwd, environment }: Command): Promise<CommandRun> {
  const start = performance.now();
  const child = spawn(program, args, { cwd, env: environment ?? process.env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  const milliseconds = performance.now() - start;
  if (exitCode !== 0) {
    const output = (stdout + stderr).slice(-OUTPUT_TAIL);
    throw new Error(`${[program, ...args].join(' ')} ended with ${exitCode}:\n${output}`);
  }
  return { milliseconds, stdout };
}
