import { fork } from 'node:child_process';
import { once } from 'node:events';
import { basename, join } from 'node:path';
import { build } from 'esbuild';
import type { Measurement } from './measured-program';
import { ROOT } from './paths';

/** Packages that stay outside of a bundle: native parts that are optional. */
const EXTERNAL = ['ssh2', 'cpu-features'];

/**
 * Bundles a program of a bench into one file of the folder, as the command line and the Lambda functions are, so that
 * neither a TypeScript loader nor the reading of a thousand files is measured with it. Gives the file's path.
 */
export async function bundleProgram(source: string, folder: string): Promise<string> {
  const outfile = join(folder, `${basename(source, '.ts')}.cjs`);
  await build({
    entryPoints: [source],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'cjs',
    logLevel: 'error',
    external: EXTERNAL,
    supported: { 'dynamic-import': false },
  });
  return outfile;
}

/**
 * Runs a bundled program that measures one thing in a process of its own. `onReady` is awaited when the program has made
 * what it needs (clients, credentials, connections), before its clock starts. Throws when the program fails.
 */
export async function measureInProcess<Answer>(
  program: string,
  question: object,
  environment: NodeJS.ProcessEnv,
  onReady: () => Promise<unknown>,
): Promise<Measurement<Answer>> {
  const child = fork(program, [JSON.stringify(question)], {
    cwd: ROOT,
    env: { ...environment, NODE_PATH: join(ROOT, 'node_modules') },
    execArgv: [],
  });
  const ended = once(child, 'exit').then(([exitCode]) => {
    throw new Error(`${basename(program)} ended with ${exitCode as number} before it had answered`);
  });
  // Heard below for as long as anybody waits for an answer.
  ended.catch(() => undefined);
  const next = <Message>(): Promise<Message> =>
    Promise.race([once(child, 'message').then(([message]) => message as Message), ended]);
  try {
    await next();
    await onReady();
    const answer = next<Measurement<Answer>>();
    child.send('go');
    return await answer;
  } finally {
    child.kill();
  }
}
