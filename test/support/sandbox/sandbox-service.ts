import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { cachedAssembly, WITH_SANDBOXES } from '../cdk/assembly-cache';
import { CLI_WORDS, CliHome } from '../cli/cli-program';
import { ROOT } from '../run/paths';

interface Served {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  readonly dataDirectory: string;
}

/** The service as `sandbox serve` runs it, on a local endpoint and in a home of its own. */
export class SandboxServiceProcess {
  private constructor(
    /** Runs the program as its user does, who has nothing to set. */
    readonly home: CliHome,
    readonly served: Served,
    private child: ChildProcess,
    private readonly bare: CliHome,
  ) {}

  static async start(runtime: 'process' | 'container' = 'process'): Promise<SandboxServiceProcess> {
    const bare = new CliHome();
    // Commands in a sandbox run as another user.
    chmodSync(bare.folder, 0o755);
    const home = bare.with({
      SANDBOX_DATA_DIRECTORY: bare.path('data'),
      SANDBOX_RUNTIME: runtime,
      SANDBOX_ASSEMBLY: await cachedAssembly(WITH_SANDBOXES),
    });
    const { child, served } = await serve(home);
    return new SandboxServiceProcess(home, served, child, bare);
  }

  /** Stops the service and starts it again at the same address; its sandboxes stay. */
  async restart(): Promise<void> {
    await ended(this.child);
    const { port } = new URL(this.served.url);
    this.child = (await serve(this.home, ['--port', port])).child;
  }

  async stop(): Promise<void> {
    await this.home.run(['sandbox', 'destroy', '--all', '--yes']);
    await ended(this.child);
    await this.home.with({ MNGR_FARGATE_LOCAL_DIR: this.bare.path('data', 'local') }).run(['local', 'down']);
    this.bare.remove();
  }
}

async function serve(home: CliHome, words: readonly string[] = []): Promise<{ child: ChildProcess; served: Served }> {
  const child = spawn(process.execPath, [...CLI_WORDS, 'sandbox', 'serve', '--json', ...words], {
    cwd: ROOT,
    env: home.env(),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let problem = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (problem += text));
  const lines = createInterface({ input: child.stdout });
  const line = await Promise.race([once(lines, 'line'), once(child, 'close').then(() => undefined)]);
  if (line === undefined) throw new Error(`no service: ${problem}`);
  const served = JSON.parse(String(line[0])) as Served | { readonly error: unknown };
  if ('error' in served) throw new Error(`no service: ${String(line[0])}`);
  return { child, served };
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const closed = once(child, 'close');
  child.kill('SIGTERM');
  await closed;
}
