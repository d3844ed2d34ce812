import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from './run/paths';

/** What `npm run sandbox -- --json` prints. */
export interface Served {
  readonly url: string;
  readonly key: string;
  readonly pid: number;
  readonly dataDirectory: string;
}

/** How long a cold start may take on a busy machine: the app is synthesized, and the endpoint started. */
export const SANDBOX_START_UP = 240_000;

/** The sandbox service as users start it, with a home of its own. */
export class SandboxProgram {
  private constructor(
    readonly served: Served,
    private readonly child: ChildProcess,
    private readonly home: string,
  ) {}

  static async start(env: Readonly<Record<string, string>> = {}): Promise<SandboxProgram> {
    const home = mkdtempSync(join(tmpdir(), 'sandbox-'));
    const words = ['--import', 'tsx', join(ROOT, 'scripts', 'sandbox.ts'), '--json', '--port', '0', '--down'];
    const child = spawn(process.execPath, words, {
      cwd: ROOT,
      env: { ...process.env, HOME: home, MNGR_FARGATE_LOCAL_DIR: join(home, 'local'), ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const said: string[] = [];
    child.stderr.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    const ended = once(child, 'close').then(([code]) => {
      throw new Error(`the service ended with ${String(code)}: ${said.join('')}`);
    });
    const [line] = (await Promise.race([once(createInterface(child.stdout), 'line'), ended])) as [string];
    ended.catch(() => undefined);
    return new SandboxProgram(JSON.parse(line) as Served, child, home);
  }

  /** Calls the API with the key. */
  async json<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${this.served.url}${path}`, {
      method,
      headers: { 'x-sandbox-secret': this.served.key, 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text) as T;
  }

  /** Ends it and its sandboxes. */
  async stop(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) {
      this.child.kill('SIGTERM');
      await once(this.child, 'close');
    }
    rmSync(this.home, { recursive: true, force: true });
  }
}
