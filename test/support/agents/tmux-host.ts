import { execFile, spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { once } from 'node:events';
import { deliver } from '../../../lib/hosts/agents/delivery';
import { pressKeys } from '../../../lib/hosts/agents/force';
import { AgentPane } from '../../../lib/hosts/agents/pane';
import type { Observation, RunScript } from '../../../lib/hosts/agents/pane';
import { SESSION_PREFIX } from '../../../lib/contract/agent-session';
import { shownRows } from '../../../lib/hosts/agents/screen';
import { setupScript } from '../../../lib/hosts/remote/setup-script';
import { eventually } from '../run/eventually';

/** A home and a tmux server of a test's own, with agents started as a host starts them. */
export class TmuxHost {
  private constructor(
    readonly folder: string,
    private readonly environment: NodeJS.ProcessEnv,
  ) {}

  static async start(environment: NodeJS.ProcessEnv = {}): Promise<TmuxHost> {
    const folder = await realpath(await mkdtemp(join(tmpdir(), 'mngr-fargate-tmux-')));
    return new TmuxHost(folder, {
      PATH: process.env.PATH,
      HOME: folder,
      LANG: 'C.UTF-8',
      TMUX_TMPDIR: folder,
      MNGR_HOST_DIR: folder,
      ...environment,
    });
  }

  async stop(): Promise<void> {
    await this.tmux(['kill-server']).catch(() => undefined);
    await this.endDaemons();
    await rm(this.folder, { recursive: true, force: true, maxRetries: 5 });
  }

  /** Codex leaves a server of its own running. What was started here has this folder as its home. */
  private async endDaemons(): Promise<void> {
    for (const pid of (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name))) {
      const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
      if (!environment.split('\0').includes(`HOME=${this.folder}`)) continue;
      try {
        process.kill(Number(pid), 'SIGKILL');
      } catch {
        // It has ended in the meantime.
      }
    }
  }

  readonly run: RunScript = async (script, input = '') => {
    const child = spawn('sh', ['-c', script], { env: this.environment, stdio: 'pipe', cwd: this.folder });
    child.stdin.on('error', () => undefined).end(input);
    const [stdout, stderr] = await Promise.all([readAll(child.stdout), readAll(child.stderr), once(child, 'close')]);
    return { exitCode: child.exitCode, stdout, stderr };
  };

  async tmux(words: readonly string[]): Promise<string> {
    const { stdout } = await promisify(execFile)('tmux', words, { env: this.environment });
    return stdout;
  }

  /** Starts a command as a host's own agent. */
  async create(name: string, command: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<void> {
    const result = await this.run(setupScript(name, { command: [...command], env: { ...env } }) ?? '');
    if (result.exitCode !== 0) throw new Error(result.stderr);
  }

  find(name: string): Promise<{ readonly pane: AgentPane; readonly observation: Observation }> {
    return AgentPane.find(this.run, 'host', SESSION_PREFIX + name, false);
  }

  async message(name: string, text: string, waitMs = 20_000): Promise<void> {
    const { pane, observation } = await this.find(name);
    await deliver(pane, observation, text, { enter: true, waitMs });
  }

  async press(name: string, ...keys: readonly string[]): Promise<void> {
    const { pane, observation } = await this.find(name);
    await pressKeys(pane, observation, keys, false);
  }

  async screen(name: string): Promise<string> {
    return shownRows((await this.find(name)).observation.screen).join('\n');
  }

  /** Waits until a text is on the screen. */
  async shows(name: string, text: string | RegExp): Promise<void> {
    const isShown = (screen: string): boolean => (typeof text === 'string' ? screen.includes(text) : text.test(screen));
    await eventually(async () => {
      const screen = await this.screen(name);
      if (!isShown(screen)) throw new Error(`${text} is not on the screen:\n${screen}`);
    });
  }
}
