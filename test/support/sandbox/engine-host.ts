import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { CommandRequest, CommandResult, CommandStatus } from '../../../lib/contract/sandboxd';
import { connectEngine } from '../../../lib/sandbox/engine/connect-engine';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { ROOT } from '../run/paths';
import type { Requirement } from '../run/requirements';

export const BUNDLE = join(ROOT, 'dist', 'sandboxd', 'sandboxd.js');

/** Only root's engine can give commands to another user. */
export const rootRights: Requirement = {
  missing: () => (process.getuid?.() === 0 ? undefined : 'only root can run commands as another user'),
};

export interface Ran {
  readonly status: CommandStatus;
  readonly result: CommandResult;
  readonly stdout: string;
  readonly stderr: string;
}

/** A real engine in folders of its own on this machine, as `sandboxd start` leaves it. */
export class EngineHost {
  readonly token = randomBytes(24).toString('hex');
  readonly folder = mkdtempSync(join(tmpdir(), 'sandboxd-'));
  readonly directory = join(this.folder, 'run');
  readonly workspace = join(this.folder, 'workspace');
  readonly socket = join(this.directory, 'socket');
  readonly home = join(this.folder, 'home');
  pid = 0;
  private count = 0;
  private readonly clients = new Set<EngineClient>();

  static start(options: readonly string[] = []): EngineHost {
    const host = new EngineHost(options);
    host.begin();
    return host;
  }

  private constructor(private readonly options: readonly string[]) {
    chmodSync(this.folder, 0o755);
    for (const folder of [this.workspace, this.home]) {
      mkdirSync(folder);
      if (process.getuid?.() === 0) chownSync(folder, 1000, 1000);
    }
  }

  /** `sandboxd start`: nothing if it runs already. Returns what it printed. */
  begin(token = this.token, bundle = BUNDLE): { readonly pid: number; readonly digest: string } {
    const text = execFileSync(process.execPath, [bundle, 'start', ...this.arguments()], {
      input: `${token}\n`,
      encoding: 'utf8',
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const started = JSON.parse(text) as { readonly pid: number; readonly digest: string };
    this.pid = started.pid;
    return started;
  }

  arguments(): string[] {
    return ['--directory', this.directory, '--workspace', this.workspace, '--home', this.home, ...this.options];
  }

  /** Ends the engine alone, and returns when it is dead. */
  kill(signal: NodeJS.Signals = 'SIGKILL'): void {
    process.kill(this.pid, signal);
    const dead = (): boolean => {
      try {
        return / [ZX] /.test(readFileSync(`/proc/${this.pid}/stat`, 'latin1'));
      } catch {
        return true;
      }
    };
    while (!dead()) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 2);
  }

  client(token = this.token, dial = this.dial): EngineClient {
    const client = connectEngine(dial, token);
    this.clients.add(client);
    return client;
  }

  readonly dial = (): Promise<Duplex> =>
    new Promise((resolve, reject) => {
      const socket = connect(this.socket);
      socket.once('connect', () => resolve(socket)).once('error', reject);
    });

  id(): string {
    return `command-${++this.count}`;
  }

  /** Runs a command to its end and collects its output. */
  async run(client: EngineClient, command: CommandRequest, id = this.id()): Promise<Ran> {
    await client.start(id, command);
    return collect(client, id);
  }

  /** A command line in a shell. */
  shell(client: EngineClient, command: string, more: Partial<CommandRequest> = {}): Promise<Ran> {
    return this.run(client, { shell: 'main', command, ...more });
  }

  /** Ends the engine and everything that it has started. */
  async end(): Promise<void> {
    if (existsSync(this.directory)) {
      // One that was killed by a test must be there to end what it has started.
      this.begin();
      await endEngine(this.socket, this.token);
    }
    for (const client of this.clients) client.close();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The output of a command from an offset on, and its end. A gap stands as `[N bytes dropped]`. */
export async function collect(client: EngineClient, id: string, from = 0): Promise<Ran> {
  const parts = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
  for await (const piece of client.output(id, { from })) {
    if (piece.type === 'end') {
      return {
        status: piece.status,
        result: piece.status.result as CommandResult,
        stdout: Buffer.concat(parts.stdout).toString('latin1'),
        stderr: Buffer.concat(parts.stderr).toString('latin1'),
      };
    }
    if (piece.type === 'gap') parts.stdout.push(Buffer.from(`[${piece.length} bytes dropped]`));
    else if (piece.type !== 'alive') parts[piece.type].push(piece.bytes);
  }
  throw new Error('the output has no end');
}

/** Ends an engine with everything that it has started. */
export const endEngine = (socketPath: string, token: string): Promise<void> =>
  new Promise((resolve, reject) => {
    request({ socketPath, path: '/v1/end', method: 'POST', headers: { authorization: `Bearer ${token}` } })
      .on('response', (response) => response.resume().on('end', resolve))
      .on('error', reject)
      .end();
  });

/** Processes that run with these words in their environment, of whatever user. */
export const processesWith = (mark: string): string[] =>
  spawnSync('sh', ['-c', 'grep -lzF -- "$1" /proc/[0-9]*/environ 2>/dev/null', 'sh', mark], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((line) => line !== '');
