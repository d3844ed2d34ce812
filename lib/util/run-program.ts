import { spawn } from 'node:child_process';
import { delimiter, join } from 'node:path';
import { access, constants, stat } from 'node:fs/promises';
import { MngrFargateError } from '../contract/errors';

export interface ProgramRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface RunOptions {
  readonly environment: NodeJS.ProcessEnv;
  readonly workingDirectory: string;
  readonly signal?: AbortSignal;
}

/** Runs a program with its arguments, without a shell. Throws `failed` if it can't be started. */
export function runProgram(words: readonly string[], options: RunOptions): Promise<ProgramRun> {
  const { environment, workingDirectory, signal } = options;
  const [program = '', ...rest] = words;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd: workingDirectory,
      env: environment,
      signal,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].setEncoding('utf8').on('data', (text: string) => {
        output[name] += text;
      });
    }
    child.once('error', (error) => {
      reject(new MngrFargateError('failed', `${program} cannot be run: ${error.message}`, { cause: error }));
    });
    child.once('close', (exitCode) => resolve({ exitCode, ...output }));
  });
}

/** The first executable file with this name on the PATH; undefined if there is none. */
export async function findOnPath(name: string, environment: NodeJS.ProcessEnv): Promise<string | undefined> {
  for (const folder of (environment.PATH ?? '').split(delimiter)) {
    const path = join(folder, name);
    if (folder !== '' && (await isExecutable(path))) return path;
  }
  return undefined;
}

async function isExecutable(path: string): Promise<boolean> {
  try {
    await access(path, constants.X_OK);
    return (await stat(path)).isFile();
  } catch {
    return false;
  }
}
