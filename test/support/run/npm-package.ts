import { execFile, execFileSync } from 'node:child_process';
import { readFileSync, symlinkSync } from 'node:fs';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT } from './paths';
import type { Requirement } from './requirements';
import { packSqlitePrebuild } from './sqlite-prebuild';

const run = promisify(execFile);
/** npm's and the compiler's output, and what a build takes on a busy machine. */
const LIMITS = { maxBuffer: 64 * 1024 * 1024, timeout: 15 * 60_000 };

export const npmRegistry: Requirement = {
  missing: () => {
    try {
      execFileSync('npm', ['view', 'constructs', 'version'], { stdio: 'ignore', timeout: 30_000 });
      return undefined;
    } catch {
      return 'the npm registry does not answer';
    }
  },
};

export interface Manifest {
  readonly version: string;
  readonly peerDependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}

export const manifest = (): Manifest => JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as Manifest;

/** A git repository with the working tree's files, as a clone of this one would be once they are committed. */
export async function makeRepository(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mngr-repository-'));
  const git = (cwd: string, ...words: string[]) =>
    run('git', ['-c', 'user.name=test', '-c', 'user.email=test@example.com', ...words], { cwd, ...LIMITS });
  const { stdout } = await git(ROOT, 'ls-files', '-z', '--cached', '--others', '--exclude-standard');
  for (const file of new Set(stdout.split('\0').filter((name) => name !== ''))) {
    await mkdir(dirname(join(folder, file)), { recursive: true });
    // A file that was deleted and not yet committed is in the list too.
    await cp(join(ROOT, file), join(folder, file)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') throw error;
    });
  }
  await git(folder, 'init', '--quiet', '--initial-branch', 'main');
  await git(folder, 'add', '--all');
  await git(folder, 'commit', '--quiet', '--message', 'The working tree');
  return folder;
}

/** Runs `npm pack` in a repository, with the packages that are installed here. Returns the tarball. */
export async function pack(repository: string): Promise<string> {
  symlinkSync(join(ROOT, 'node_modules'), join(repository, 'node_modules'));
  try {
    await run('npm', ['pack'], { cwd: repository, ...LIMITS });
  } finally {
    await rm(join(repository, 'node_modules'));
  }
  return join(repository, `mngr-fargate-${manifest().version}.tgz`);
}

/** A project of somebody else's. */
export class NpmProject {
  private constructor(readonly folder: string) {}

  static async make(): Promise<NpmProject> {
    const folder = await mkdtemp(join(tmpdir(), 'mngr-project-'));
    await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'project', private: true }));
    return new NpmProject(folder);
  }

  async install(...packages: readonly string[]): Promise<void> {
    // The optional package is the sandbox service's database. What npm builds from git has it all the same.
    const options = ['--no-audit', '--no-fund', '--prefer-offline', '--omit=optional'];
    const prebuilds = this.path('prebuilds');
    await packSqlitePrebuild(prebuilds);
    const env = { ...process.env, npm_config_better_sqlite3_local_prebuilds: prebuilds };
    await run('npm', ['install', ...options, ...packages], { cwd: this.folder, env, ...LIMITS });
  }

  async write(name: string, text: string): Promise<void> {
    await writeFile(join(this.folder, name), text);
  }

  path(...names: readonly string[]): string {
    return join(this.folder, ...names);
  }

  /** Runs a program of Node.js in the project, and returns what it printed. A failed one throws with its output. */
  async node(words: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
    const env = { ...process.env, ...environment };
    const { stdout } = await run(process.execPath, words, { cwd: this.folder, env, ...LIMITS });
    return stdout;
  }

  /** What the compiler has to say about a file, with options of its command line. */
  async typeErrors(file: string, options: readonly string[]): Promise<string> {
    const compiler = join(ROOT, 'node_modules/typescript/bin/tsc');
    const fixed = ['--noEmit', '--strict', '--target', 'es2022', '--ignoreDeprecations', '6.0'];
    const types = ['--types', 'node', '--typeRoots', join(ROOT, 'node_modules/@types')];
    const words = [compiler, ...fixed, ...types, ...options, file];
    return await this.node(words).catch((error: { stdout?: string }) => {
      if (error.stdout === undefined) throw error;
      return error.stdout;
    });
  }

  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}
