import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { packageRoot } from '../../util/package-root';

/** Last characters of the app's output that an error shows. */
const OUTPUT_TAIL = 4000;

/** The CDK app as node's arguments: built when this program is, else from the sources with the loader that runs them. */
function appArguments(): readonly string[] {
  const folder = packageRoot();
  if (__filename.endsWith('.ts')) return [...process.execArgv, join(folder, 'bin', 'app.ts')];
  const built = join(folder, 'dist', 'bin', 'app.js');
  if (existsSync(built)) return [built];
  throw new MngrFargateError('failed', `${built} is missing`, { hint: 'run "npm run build"' });
}

/** The CDK is a peer dependency, which only this needs. Throws where it was not installed. */
function requireTheCdk(): void {
  const { resolve } = createRequire(join(packageRoot(), 'package.json'));
  const missing = ['aws-cdk-lib', 'constructs'].filter((name) => {
    try {
      resolve(name);
      return false;
    } catch {
      return true;
    }
  });
  if (missing.length === 0) return;
  throw new MngrFargateError('failed', `the stack cannot be synthesized: ${missing.join(' and ')} is not installed`, {
    hint: `run "npm install ${missing.join(' ')}" beside mngr-fargate, or give a synthesized stack with --assembly`,
  });
}

export interface SynthesisRequest {
  /** Where the `cdk.out` goes. What an earlier synthesis left there is written over, so that a running endpoint keeps its assets. */
  readonly folder: string;
  /** Context keys of the app (docs/configuration.md). */
  readonly context: Readonly<Record<string, string>>;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal: AbortSignal;
}

/** Synthesizes the stack by running the CDK app, as `cdk synth` would. A process of its own keeps the CDK out of this one. */
export async function synthesize({ folder, context, environment, signal }: SynthesisRequest): Promise<void> {
  requireTheCdk();
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const child = spawn(process.execPath, appArguments(), {
    cwd: packageRoot(),
    env: { ...environment, CDK_CONTEXT_JSON: JSON.stringify(context), CDK_OUTDIR: folder },
    stdio: ['ignore', 'pipe', 'pipe'],
    signal,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-OUTPUT_TAIL);
    });
  }
  const exitCode = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', resolve);
  });
  if (exitCode === 0) return;
  throw new MngrFargateError('failed', `the stack cannot be synthesized: the CDK app ended with ${exitCode}`, {
    details: { output: output.trim() },
    hint: 'run "npx cdk synth" to see the whole output',
  });
}
