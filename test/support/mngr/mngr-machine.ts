import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { mngrBaseDirectory } from '../../../lib/mngr';
import { CLI_WORDS } from '../cli/cli-program';
import type { CliHome, CliRun } from '../cli/cli-program';

/** Milliseconds after which a command of mngr's counts as hanging. */
const PATIENCE = 200_000;

export interface MngrOptions {
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the running process, for signals. */
  readonly onStart?: (running: { readonly kill: (signal: NodeJS.Signals) => boolean }) => void;
}

/** The machine of somebody who uses mngr: a home, a git repository in it, mngr and mngr-fargate on the PATH. */
export class MngrMachine {
  readonly repository: string;
  private readonly path: string;

  constructor(
    readonly home: CliHome,
    programs: string,
  ) {
    this.repository = home.path('home', 'repository');
    const bin = home.path('bin');
    this.path = [bin, programs, process.env.PATH].join(':');
    mkdirSync(bin, { recursive: true });
    writeProgram(join(bin, 'mngr-fargate'));
    mkdirSync(this.repository, { recursive: true });
    writeFileSync(join(this.repository, 'README.md'), 'what the agents work on\n');
  }

  /** mngr's own directory. */
  get base(): string {
    return mngrBaseDirectory(this.home.env());
  }

  get profileDirectory(): string {
    const profile = /^profile = "(.*)"$/m.exec(readFileSync(join(this.base, 'config.toml'), 'utf8'))?.[1];
    if (profile === undefined) throw new Error(`no profile in ${this.base}/config.toml`);
    return join(this.base, 'profiles', profile);
  }

  env(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    return this.home.env({ PATH: this.path, ...GIT_IDENTITY, ...extra });
  }

  run(program: string, words: readonly string[], options: MngrOptions = {}): Promise<CliRun> {
    return new Promise((resolve, reject) => {
      const cwd = this.repository;
      const child = spawn(program, words, {
        cwd,
        env: this.env(options.env),
        timeout: PATIENCE,
        killSignal: 'SIGKILL',
      });
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          output[name] += text;
        });
      }
      child.stdin.on('error', () => undefined).end();
      child.once('error', reject).once('close', (exitCode) => resolve({ exitCode, ...output }));
      options.onStart?.(child);
    });
  }

  /** `mngr …`, whatever comes of it. */
  mngr(words: readonly string[], options?: MngrOptions): Promise<CliRun> {
    return this.run('mngr', words, options);
  }

  /** `mngr …` that must succeed; its standard output. */
  async succeed(words: readonly string[], options?: MngrOptions): Promise<string> {
    const { exitCode, stdout, stderr } = await this.mngr(words, options);
    if (exitCode !== 0) throw new Error(`mngr ${words.join(' ')} ended with ${exitCode}:\n${stdout}${stderr}`);
    return stdout;
  }

  /** `mngr … --format json` that must succeed. */
  async json<Document>(words: readonly string[], options?: MngrOptions): Promise<Document> {
    return JSON.parse(await this.succeed([...words, '--format', 'json'], options)) as Document;
  }

  /** A first commit: mngr sends agents a clean git repository. */
  async commit(): Promise<void> {
    for (const words of [
      ['init', '-q', '-b', 'main'],
      ['add', '-A'],
      ['commit', '-qm', 'one'],
    ]) {
      const { exitCode, stderr } = await this.run('git', words);
      if (exitCode !== 0) throw new Error(`git ${words.join(' ')}: ${stderr}`);
    }
  }
}

const GIT_IDENTITY = {
  GIT_AUTHOR_NAME: 'Test',
  GIT_AUTHOR_EMAIL: 'test@example.com',
  GIT_COMMITTER_NAME: 'Test',
  GIT_COMMITTER_EMAIL: 'test@example.com',
};

/** `mngr-fargate` as a program of its own; from the sources it needs tsx, wherever it is called. */
function writeProgram(file: string): void {
  const words = CLI_WORDS.map((word) => (word === 'tsx' ? pathToFileURL(require.resolve('tsx')).href : word));
  const quoted = [process.execPath, ...words].map((word) => `'${word}'`).join(' ');
  writeFileSync(file, `#!/bin/sh\nexec ${quoted} "$@"\n`);
  chmodSync(file, 0o755);
}
