import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { endInTime } from '../run/bounded-child';
import { ROOT } from '../run/paths';

const BUILT = join(ROOT, 'dist', 'bin', 'mngr-fargate.js');

/** `local up` synthesizes a stack and starts an endpoint; nothing else takes as long on a busy machine. */
const LONGEST_RUN_MS = 170_000;

/** Milliseconds of the last change in a folder. */
const lastChange = (folder: string): number =>
  Math.max(
    0,
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );

function programWords(): readonly string[] {
  const bundle = join(ROOT, 'dist', 'cli');
  const isFresh =
    existsSync(BUILT) &&
    existsSync(bundle) &&
    lastChange(bundle) > Math.max(...['bin', 'lib'].map((name) => lastChange(join(ROOT, name))));
  return isFresh ? [BUILT] : ['--import', 'tsx', join(ROOT, 'bin', 'mngr-fargate.ts')];
}

/** The program as arguments of node: what was built, if it is newer than the sources, else the sources. */
export const CLI_WORDS = programWords();

export interface CliRun {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface CliOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string | Buffer;
  /** Called with the running process, for signals. */
  readonly onStart?: (child: {
    readonly kill: (signal: NodeJS.Signals) => boolean;
    readonly onStdout: (text: RegExp) => Promise<void>;
    readonly onStderr: (text: RegExp) => Promise<void>;
    /** What it has printed so far. */
    readonly stdout: () => string;
  }) => Promise<void>;
}

/** A home directory of a test's own, and what runs the real program in it. */
export class CliHome {
  constructor(
    readonly folder: string = mkdtempSync(join(tmpdir(), 'mngr-cli-')),
    private readonly environment: Readonly<Record<string, string>> = {},
  ) {
    mkdirSync(this.path('home'), { recursive: true });
  }

  /** The same home with more in its environment. */
  with(environment: Readonly<Record<string, string>>): CliHome {
    return new CliHome(this.folder, { ...this.environment, ...environment });
  }

  path(...names: string[]): string {
    return join(this.folder, ...names);
  }

  /** Nothing of this machine's AWS or mngr settings gets in. */
  env(extra: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
    const kept = Object.entries(process.env).filter(
      ([name]) =>
        !/^(?:AWS_|MNGR_|CDK_|NODE_OPTIONS|JEST_|HOME$|XDG_|NO_COLOR|FORCE_COLOR|PYTHONDONTWRITEBYTECODE$)/.test(name),
    );
    return {
      ...Object.fromEntries(kept),
      HOME: this.path('home'),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...this.environment,
      ...extra,
    };
  }

  run(words: readonly string[], { env, input, onStart }: CliOptions = {}): Promise<CliRun> {
    return new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [...CLI_WORDS, ...words], { cwd: ROOT, env: this.env(env) });
      endInTime(child, LONGEST_RUN_MS);
      const output = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          output[name] += text;
        });
      }
      const onOutput =
        (name: 'stdout' | 'stderr') =>
        (text: RegExp): Promise<void> =>
          new Promise((found) => {
            const look = (): void => {
              if (text.test(output[name])) found();
            };
            child[name].on('data', look);
            look();
          });
      child.stdin.on('error', () => undefined).end(input ?? '');
      child.once('error', reject).once('close', (exitCode) => resolve({ exitCode, ...output }));
      const kill = (signal: NodeJS.Signals): boolean => child.kill(signal);
      onStart?.({
        kill,
        onStdout: onOutput('stdout'),
        onStderr: onOutput('stderr'),
        stdout: () => output.stdout,
      }).catch(reject);
    });
  }

  /** Runs with `--json` and reads the one document. */
  async json<Document>(words: readonly string[], options?: CliOptions): Promise<Document> {
    const { stdout, stderr } = await this.run(['--json', ...words], options);
    try {
      return JSON.parse(stdout) as Document;
    } catch {
      throw new Error(`no JSON document: ${stdout}${stderr}`);
    }
  }

  remove(): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}
