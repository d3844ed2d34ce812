import { execFileSync, spawn } from 'node:child_process';
import { join } from 'node:path';
import { endInTime } from '../run/bounded-child';
import type { Requirement } from '../run/requirements';
import { ROOT } from '../run/paths';

export interface CdkResult {
  readonly exitCode: number;
  readonly output: string;
}

/** A deployment of the whole stack on a busy machine. */
const LONGEST_RUN_MS = 280_000;

/** Quiet and alone: no notices, no version check, no telemetry, so that nothing but the given endpoint is called. */
const QUIET = { CI: 'true', CDK_DISABLE_VERSION_CHECK: '1', CDK_DISABLE_CLI_TELEMETRY: '1', NO_COLOR: '1' } as const;

/** Gives a command a network of its own with nothing in it, not even loopback (Linux). */
const UNSHARE = ['unshare', '--map-root-user', '--net'] as const;

export const networkNamespaces: Requirement = {
  missing: () => {
    try {
      execFileSync(UNSHARE[0], [...UNSHARE.slice(1), 'true'], { stdio: 'ignore' });
      return undefined;
    } catch {
      return 'unshare --net is not possible here';
    }
  },
};

/** Runs the project's own `cdk` in the project's folder, as a person would. Returns its exit code and all it printed. */
export function cdk(
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
  options: { readonly withoutNetwork?: boolean } = {},
): Promise<CdkResult> {
  const command = [process.execPath, join(ROOT, 'node_modules/aws-cdk/bin/cdk'), ...args, '--no-notices'];
  const [program = '', ...rest] = options.withoutNetwork === true ? [...UNSHARE, ...command] : command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, rest, {
      cwd: ROOT,
      env: { PATH: process.env.PATH, ...QUIET, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    endInTime(child, LONGEST_RUN_MS);
    const output: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (data: Buffer) => output.push(data.toString()));
    child.once('error', reject);
    child.once('close', (exitCode) => resolve({ exitCode: exitCode ?? -1, output: output.join('') }));
  });
}
