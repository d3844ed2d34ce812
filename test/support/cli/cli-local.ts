import { cachedAssembly } from '../cdk/assembly-cache';
import { CliHome } from './cli-program';
import type { Requirement } from '../run/requirements';
import { program } from '../run/requirements';

/** What hosts as processes of this machine need. */
export const localHosts: readonly Requirement[] = ['sshd', 'ssh', 'tmux', 'flock', 'setsid'].map(program);

/** Milliseconds that a synthesis, an endpoint's start and a first host may take on a busy machine. */
export const START_UP = 240_000;

interface Up {
  readonly endpoint: string;
  readonly stackName: string;
  readonly outputs: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
  readonly controlToken: string;
}

/** A home whose shell is turned to a local endpoint of its own, brought up with the program itself. */
export class CliLocal {
  private constructor(
    readonly home: CliHome,
    readonly up: Up,
  ) {}

  /** With the assembly of all test files; `synthesizes` leaves it to `local up`, as users do. */
  static async start({ synthesizes = false } = {}): Promise<CliLocal> {
    const assembly = synthesizes ? [] : ['--assembly', await cachedAssembly()];
    const bare = new CliHome();
    const directory = { MNGR_FARGATE_LOCAL_DIR: bare.path('local') };
    const up = await bare.json<Up>(['local', 'up', '--runtime', 'process', ...assembly], { env: directory });
    if (up.env === undefined) throw new Error(`no endpoint: ${JSON.stringify(up)}`);
    return new CliLocal(bare.with({ ...directory, ...up.env }), up);
  }

  /** The endpoint's control API. */
  async control(method: string, path: string, body?: unknown): Promise<unknown> {
    const response = await fetch(`${this.up.endpoint}/_control/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.up.controlToken}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }

  async stop(): Promise<void> {
    await this.home.run(['local', 'down']);
    this.home.remove();
  }
}
