import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderConfig } from '../../lib/contract/provider-config';
import type { Delays } from '../../lib/local/control/delays';
import type { SeedRequest } from '../../lib/local/services/ecs/seed';
import type { OperationCalls } from '../../lib/local/control/call-log';
import type { EndpointDescription } from '../../lib/local/endpoint';
import { loadProviderConfig } from '../../lib/mngr/index';
import { runCommand } from './command';
import { monotonic } from './monotonic';
import type { Accepted } from './observed-runtime';
import { ROOT, TYPESCRIPT } from './paths';

/** On a busy machine the endpoint's word of an sshd can come after a launcher has used it. Milliseconds. */
const HEARSAY_MS = 10_000;

/** What the endpoint's process is told at its start. */
export interface EndpointSettings {
  /** Folder of the synthesized stack. */
  readonly assembly: string;
  /** Folder for the tasks' files. */
  readonly folder: string;
  /** `processes`: the real image's scripts with the machine's sshd. `ssh-servers`: see SshServerRuntime. */
  readonly runtime: 'processes' | 'ssh-servers';
}

/** What it says to the bench. */
export type EndpointMessage =
  { readonly type: 'ready'; readonly description: EndpointDescription } | ({ readonly type: 'accepted' } & Accepted);

/** The endpoint of one bench, in a process of its own. */
export class BenchEndpoint {
  private readonly accepted = new Map<string, number>();

  private constructor(
    private readonly child: ChildProcess,
    readonly description: EndpointDescription,
  ) {
    child.on('message', (message: EndpointMessage) => {
      if (message.type === 'accepted') this.accepted.set(message.ip, message.at);
    });
  }

  /** When the sshd at the address took its first connection, in milliseconds of the monotonic clock. */
  async acceptedAt(ip: string): Promise<number> {
    const deadline = monotonic() + HEARSAY_MS;
    for (;;) {
      const at = this.accepted.get(ip);
      if (at !== undefined) return at;
      if (monotonic() > deadline) throw new Error(`nobody saw the sshd at ${ip} accept a connection`);
      await sleep(10);
    }
  }

  /** Synthesizes the stack into the folder, with these context keys, and starts its endpoint. */
  static async start(folder: string, runtime: EndpointSettings['runtime'], context: object): Promise<BenchEndpoint> {
    const assembly = join(folder, 'cdk.out');
    await runCommand({
      program: process.execPath,
      args: [...TYPESCRIPT, join('bin', 'app.ts')],
      cwd: ROOT,
      environment: { ...process.env, CDK_OUTDIR: assembly, CDK_CONTEXT_JSON: JSON.stringify(context) },
    });
    const settings: EndpointSettings = { assembly, folder: join(folder, 'aws'), runtime };
    const child = fork(join(__dirname, 'endpoint-process.ts'), [JSON.stringify(settings)], { execArgv: TYPESCRIPT });
    const first = await Promise.race([
      once(child, 'message').then(([message]) => message as EndpointMessage),
      once(child, 'exit').then(() => undefined),
    ]);
    if (first?.type !== 'ready') throw new Error("the bench's endpoint ended before it was ready");
    return new BenchEndpoint(child, first.description);
  }

  /** Environment of a program that uses the endpoint as its AWS and nothing of this user's own configuration. */
  environment(home: string): NodeJS.ProcessEnv {
    return {
      PATH: process.env.PATH,
      HOME: home,
      XDG_CACHE_HOME: join(home, '.cache'),
      AWS_EC2_METADATA_DISABLED: 'true',
      ...this.description.env,
    };
  }

  /** The provider block of the deployed stack, read as a fresh machine would. */
  async config(home: string): Promise<ProviderConfig> {
    Object.assign(process.env, this.environment(home));
    const { config } = await loadProviderConfig({ baseDirectory: join(home, '.mngr'), environment: process.env });
    return config;
  }

  setDelays(delays: Delays): Promise<unknown> {
    return this.control('PUT', 'delays', delays);
  }

  /** AWS's published request limits; buckets are full afterwards. */
  setThrottling(enabled: boolean): Promise<unknown> {
    return this.control('PUT', 'throttling', { enabled });
  }

  seed(request: Partial<SeedRequest> & Pick<SeedRequest, 'count'>): Promise<unknown> {
    return this.control('POST', 'tasks/seed', request);
  }

  /** Calls by `service:Operation` since the last forgetCalls. */
  async calls(): Promise<Readonly<Record<string, OperationCalls>>> {
    const { operations } = (await this.control('GET', 'calls')) as {
      operations: Readonly<Record<string, OperationCalls>>;
    };
    return operations;
  }

  forgetCalls(): Promise<unknown> {
    return this.control('DELETE', 'calls');
  }

  /** Tasks by their lastStatus. */
  async tasks(): Promise<Readonly<Record<string, number>>> {
    const { tasks } = (await this.control('GET', 'status')) as { tasks: Readonly<Record<string, number>> };
    return tasks;
  }

  /** Ends the endpoint and all its tasks. */
  async stop(): Promise<void> {
    if (this.child.exitCode !== null || !this.child.connected) return;
    const exited = once(this.child, 'exit');
    this.child.disconnect();
    await exited;
  }

  private async control(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.description.endpoint}/_control/${path}`, {
      method,
      headers: { authorization: `Bearer ${this.description.controlToken}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response.json();
  }
}

/** An endpoint for as long as the work takes. */
export async function withEndpoint<Result>(
  folder: string,
  runtime: EndpointSettings['runtime'],
  work: (endpoint: BenchEndpoint) => Promise<Result>,
  context: Readonly<Record<string, string>> = {},
): Promise<Result> {
  const endpoint = await BenchEndpoint.start(folder, runtime, context);
  try {
    return await work(endpoint);
  } finally {
    await endpoint.stop();
  }
}
