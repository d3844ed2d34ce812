import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from '../../../lib/util/file-lock';
import { ROOT } from '../run/paths';

const CACHE = join(ROOT, 'node_modules/.cache/mngr-fargate/assembly');
/** All that a synthesis reads. */
const SOURCES = ['bin', 'lib', 'lambda', 'docker', 'cdk.json', 'package.json', 'package-lock.json'];
/** An older assembly of other sources is of no use to anybody. */
const KEPT_MS = 24 * 60 * 60 * 1000;
/** A synthesis takes seconds, and much longer on a busy machine. */
const MAKING_MS = 5 * 60 * 1000;

/** The context of the stack with sandboxes, whose agents' hosts no test starts. */
export const WITH_SANDBOXES = { sandbox: 'true', image: 'hosts.invalid/not-built:here' } as const;

/**
 * The `cdk.out` of the app, without any context unless one is given. It is synthesized once for all test files and runs
 * until a source changes, so it is only to be read.
 */
export async function cachedAssembly(context: Readonly<Record<string, string>> = {}): Promise<string> {
  const folder = join(CACHE, hashOf(context));
  if (!existsSync(folder)) {
    await mkdir(CACHE, { recursive: true });
    const make = async (): Promise<void> => {
      if (existsSync(folder)) return;
      await removeOld();
      await synthesize(`${folder}.new`, context);
      await rename(`${folder}.new`, folder);
    };
    await withFileLock(folder, make, { timeoutMs: MAKING_MS });
  }
  return folder;
}

async function synthesize(folder: string, context: Readonly<Record<string, string>>): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await promisify(execFile)(process.execPath, ['--import', 'tsx', join(ROOT, 'bin/app.ts')], {
    cwd: ROOT,
    env: {
      ...{ PATH: process.env.PATH, HOME: CACHE, CDK_OUTDIR: folder, CDK_CONTEXT_JSON: JSON.stringify(context) },
      // Takes several times as long as the synthesis; test/stacks/mngr-fargate-stack.test.ts has it.
      CDK_VALIDATION: 'false',
    },
  });
}

function hashOf(context: Readonly<Record<string, string>>): string {
  const hash = createHash('sha256').update(`${JSON.stringify(context)}\0`);
  for (const file of SOURCES.flatMap((name) => filesIn(name))) hash.update(`${file}\0`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 32);
}

function filesIn(name: string): string[] {
  const path = join(ROOT, name);
  if (!statSync(path).isDirectory()) return [path];
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function removeOld(): Promise<void> {
  const oldest = Date.now() - KEPT_MS;
  const old = readdirSync(CACHE).filter((name) => statSync(join(CACHE, name)).mtimeMs < oldest);
  for (const name of old) await rm(join(CACHE, name), { recursive: true, force: true });
}
