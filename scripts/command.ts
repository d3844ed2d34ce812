import { spawn } from 'node:child_process';

export interface CommandResult {
  readonly exitCode: number;
  readonly stdout: string;
}

export interface CommandOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
  readonly input?: string;
}

/** Runs a program until it exits, with its standard error passed through. */
export function run(program: string, args: readonly string[], options: CommandOptions): Promise<CommandResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      env: options.environment,
      stdio: ['pipe', 'pipe', 'inherit'],
      signal: options.signal,
      // The program stops what it started before it exits; after SIGKILL it couldn't.
      killSignal: 'SIGTERM',
    });
    let stdout = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    child.stdin.on('error', () => undefined).end(options.input ?? '');
    let failure: Error | undefined;
    child.once('error', (error) => {
      failure = error;
      if (child.pid === undefined) reject(error);
    });
    child.once('close', (code) => (failure === undefined ? resolve({ exitCode: code ?? 1, stdout }) : reject(failure)));
  });
}
