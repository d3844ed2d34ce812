import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { findEngine } from '../lib/local/runtimes';
import { prepareBaseImage } from './base-image';
import type { CommandResult } from './command';
import { run } from './command';
import { leftovers } from './leftovers';
import { ensureSystemPackages } from './prerequisites';
import { Steps } from './steps';

/**
 * `npm run demo`: runs the whole product on this machine, using only its command line. Synthesizes the stack, starts the
 * local endpoint, creates a host, uses it, destroys it, and checks that nothing is left. All files, including a home
 * directory, are in a temporary folder. Arguments are passed to `local up` (`--runtime process`). Exits with 1 if a step
 * fails and with 130 on Ctrl-C, after cleaning up.
 */
const ROOT = join(__dirname, '..');
const CLI = join(ROOT, 'dist', 'bin', 'mngr-fargate.js');
const APP = join(ROOT, 'dist', 'bin', 'app.js');
const HOST = 'demo';
/** The host's agent: repeats every line that it reads, and writes it to a file. */
const AGENT = ['bash', '-c', 'while IFS= read -r line; do printf "heard: %s\\n" "$line" | tee -a /root/heard; done'];
const MESSAGE = `it's "quoted", $HOME and ünïcödé -- all as typed`;
const FILE_BYTES = 1024 * 1024;

interface CreatedHost {
  readonly hostId: string;
  readonly taskArn: string;
  readonly address: { readonly host: string; readonly port: number; readonly user: string };
  readonly identityFile: string;
}

class Demo {
  private readonly steps = new Steps();
  private readonly folder = mkdtempSync(join(tmpdir(), 'mngr-fargate-demo-'));
  private readonly assembly = join(this.folder, 'cdk.out');
  private readonly home = join(this.folder, 'home');
  private endpointIsUp = false;
  private environment: NodeJS.ProcessEnv = {
    ...environmentWithoutAws(),
    HOME: this.home,
    XDG_STATE_HOME: join(this.home, '.local', 'state'),
    XDG_CONFIG_HOME: join(this.home, '.config'),
    XDG_CACHE_HOME: join(this.home, '.cache'),
  };

  constructor(private readonly signal: AbortSignal) {}

  async run(): Promise<void> {
    await this.steps.run('synthesize the stack', () => this.synthesize());
    await this.steps.run('start the local endpoint', () => this.startEndpoint());
    await this.steps.run('write the provider block into a new home', () => this.writeConfig());
    const host = await this.steps.run('create a host', () => this.createHost());
    await this.steps.run('list it', () => this.list());
    await this.steps.run('connect with ssh and the pinned host key', () => this.connect());
    await this.steps.run('use git on it', () => this.useGit());
    await this.steps.run("find its agent's tmux session", () => this.findSession());
    await this.steps.run('send its agent a message', () => this.sendMessage());
    await this.steps.run('copy a file there and back', () => this.copyFile());
    await this.steps.run('destroy it', () => this.destroy());
    await this.steps.run('stop the local endpoint', () => this.stopEndpoint());
    await this.steps.run('check that nothing is left', () => this.findNothing(host));
    console.log(`\nall steps succeeded in ${this.steps.seconds} s`);
  }

  /** Stops the endpoint if it is still running, and removes the temporary folder. */
  async cleanUp(): Promise<void> {
    if (this.endpointIsUp) await run(process.execPath, [CLI, 'local', 'down'], { environment: this.environment });
    rmSync(this.folder, { recursive: true, force: true });
  }

  private async synthesize(): Promise<{ note: string }> {
    const environment = { ...this.environment, CDK_OUTDIR: this.assembly };
    const { exitCode } = await run(process.execPath, [APP], { environment, signal: this.signal });
    expect(exitCode === 0, `the CDK app failed with exit code ${exitCode}`);
    const template = readdirSync(this.assembly).find((name) => name.endsWith('.template.json'));
    expect(template !== undefined, `${this.assembly} has no template`);
    const { Resources } = JSON.parse(readFileSync(join(this.assembly, template), 'utf8')) as { Resources: object };
    return { note: `${Object.keys(Resources).length} resources` };
  }

  private async startEndpoint(): Promise<{ note: string }> {
    this.endpointIsUp = true;
    const up = await this.up().catch(async (error: Error) => {
      if (!error.message.includes('base image')) throw error;
      await prepareBaseImage();
      return this.up();
    });
    this.environment = { ...this.environment, ...up.env };
    const { runtime } = await this.json<{ runtime?: { description?: string } | string }>('local', 'status');
    const description = typeof runtime === 'string' ? runtime : (runtime?.description ?? '');
    return { note: `${up.endpoint}${description === '' ? '' : `, ${description}`}` };
  }

  private up(): Promise<{ endpoint: string; env: Record<string, string> }> {
    return this.json('local', 'up', '--assembly', this.assembly, ...process.argv.slice(2));
  }

  private async writeConfig(): Promise<{ note: string }> {
    const { file } = await this.json<{ file: string }>('config', 'write');
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.includes('[providers.fargate]'), `${file} has no [providers.fargate]`);
    return { note: file.replace(this.home, '~') };
  }

  private async createHost(): Promise<{ note: string } & CreatedHost> {
    const host = await this.json<CreatedHost>('create', HOST, '--', ...AGENT);
    return { ...host, note: `${host.hostId} at ${host.address.host}:${host.address.port}` };
  }

  private async list(): Promise<{ note: string }> {
    const hosts = await this.json<{ name: string; state: string }[]>('list');
    expect(hosts.length === 1 && hosts[0]?.name === HOST, `expected one host, got ${JSON.stringify(hosts)}`);
    return { note: `${hosts[0]?.name} ${hosts[0]?.state}` };
  }

  private async connect(): Promise<{ note: string }> {
    const { command, arguments: words } = await this.json<{ command: string; arguments: string[] }>(
      ...['connect', HOST, '--', 'sh', '-c', 'echo hello from $(hostname)'],
    );
    // -q: without a local terminal, ssh would warn that it doesn't request a remote one.
    const { stdout, exitCode } = await run(command, ['-q', ...words], { environment: this.environment });
    expect(
      exitCode === 0 && stdout.includes('hello from'),
      `ssh exited with ${exitCode} and printed "${stdout.trim()}"`,
    );
    return { note: stdout.trim() };
  }

  private async useGit(): Promise<{ note: string }> {
    const script = [
      'set -e; rm -rf /root/work; git init -q /root/work; cd /root/work; echo hello > file; git add file',
      'git -c user.name=demo -c user.email=demo@example.com commit -q -m "First commit"; git log --format=%s',
    ].join('; ');
    const { stdout } = await this.exec('bash', '-c', script);
    expect(stdout === 'First commit\n', `git log printed "${stdout.trim()}"`);
    const { exitCode } = await this.cli('exec', HOST, '--', 'sh', '-c', 'exit 7');
    expect(exitCode === 7, `exec should have exited with 7, not ${exitCode}`);
    return { note: stdout.trim() };
  }

  private async findSession(): Promise<{ note: string }> {
    const { stdout } = await this.exec('tmux', 'list-sessions', '-F', '#{session_name}');
    expect(stdout.split('\n').includes(`mngr-${HOST}`), `tmux has no session mngr-${HOST}, only "${stdout.trim()}"`);
    return { note: stdout.trim() };
  }

  private async sendMessage(): Promise<{ note: string }> {
    await this.json('message', HOST, MESSAGE);
    for (let tries = 0; tries < 50; tries += 1) {
      const { stdout } = await this.cli('exec', HOST, '--', 'sh', '-c', 'cat /root/heard 2>/dev/null');
      if (stdout === `heard: ${MESSAGE}\n`) return { note: stdout.trim() };
      await sleep(100, undefined, { signal: this.signal });
    }
    throw new Error(`the agent didn't receive ${JSON.stringify(MESSAGE)}`);
  }

  private async copyFile(): Promise<{ note: string }> {
    const bytes = randomBytes(FILE_BYTES);
    const there = join(this.folder, 'there');
    const back = join(this.folder, 'back');
    writeFileSync(there, bytes);
    await this.json('cp', there, `${HOST}:/root/copy`);
    const sum = createHash('sha256').update(bytes).digest('hex');
    const { stdout } = await this.exec('sha256sum', '/root/copy');
    expect(stdout.startsWith(sum), 'the file is different on the host');
    await this.json('cp', `${HOST}:/root/copy`, back);
    expect(readFileSync(back).equals(bytes), 'the file is different after copying it back');
    return { note: `${FILE_BYTES} bytes, unchanged` };
  }

  private async destroy(): Promise<{ note: string }> {
    await this.json('destroy', HOST, '--yes');
    return { note: '' };
  }

  private async stopEndpoint(): Promise<{ note: string }> {
    await this.json('local', 'down');
    this.endpointIsUp = false;
    return { note: '' };
  }

  private async findNothing(host: CreatedHost): Promise<{ note: string }> {
    const taskId = host.taskArn.split('/').at(-1) ?? '';
    const keys = dirname(host.identityFile);
    const left = await leftovers({ folder: this.folder, taskId, address: host.address, keys });
    expect(left.length === 0, `this is left: ${left.join(', ')}`);
    return { note: 'no process, no container, no server, no key' };
  }

  /** Runs a command with `--json`, and expects it to succeed. */
  private async json<Result>(...args: string[]): Promise<Result> {
    const divide = args.indexOf('--');
    const words = divide < 0 ? [...args, '--json'] : [...args.slice(0, divide), '--json', ...args.slice(divide)];
    const { exitCode, stdout } = await this.cli(...words);
    expect(exitCode === 0, `mngr-fargate ${words.join(' ')} failed with exit code ${exitCode}: ${stdout.trim()}`);
    return JSON.parse(stdout) as Result;
  }

  private async exec(...command: string[]): Promise<CommandResult> {
    const result = await this.cli('exec', HOST, '--', ...command);
    expect(result.exitCode === 0, `${command.join(' ')} failed with exit code ${result.exitCode} on the host`);
    return result;
  }

  private cli(...args: string[]): Promise<CommandResult> {
    return run(process.execPath, [CLI, ...args], { environment: this.environment, signal: this.signal });
  }
}

function expect(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new Error(problem);
}

/** The environment without the user's AWS settings, so that the demo can't reach the user's account. */
function environmentWithoutAws(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(AWS|MNGR|CDK)_/.test(name)));
}

async function main(): Promise<number> {
  const abort = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => abort.abort());
  if ((await findEngine()) === undefined) ensureSystemPackages();
  if (!existsSync(CLI)) throw new Error(`${CLI} is missing: run "npm ci" or "npm run build" first`);
  const demo = new Demo(abort.signal);
  try {
    await demo.run();
    return 0;
  } catch (error) {
    console.error(`\n${abort.signal.aborted ? 'interrupted' : (error as Error).message}; cleaning up`);
    return abort.signal.aborted ? 130 : 1;
  } finally {
    await demo.cleanUp();
  }
}

main().then(
  (exitCode) => process.exit(exitCode),
  (error: Error) => {
    console.error(`demo: ${error.message}`);
    process.exit(1);
  },
);
