import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { ROOT } from '../paths';
import { ApiConnection } from './api-connection';
import type { Contender } from './contender';

/** More than any bench asks for. */
const LIMITS = { SANDBOX_RATE_LIMIT: '1000000', MAX_CONTAINERS: '5000' };

/** `mngr-fargate sandbox serve` as it is installed, in a process of its own. */
export class BenchService {
  private constructor(
    readonly api: ApiConnection,
    readonly dataDirectory: string,
    private readonly pid: number,
    private readonly stop: () => Promise<void>,
  ) {}

  static async start(dataDirectory: string, environment: NodeJS.ProcessEnv): Promise<BenchService> {
    const program = join(ROOT, 'dist', 'bin', 'mngr-fargate.js');
    const child = spawn(process.execPath, [program, 'sandbox', 'serve', '--json'], {
      env: { ...environment, ...LIMITS, SANDBOX_DATA_DIRECTORY: dataDirectory },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let problem = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (problem += text));
    const exited = once(child, 'exit');
    const line = await Promise.race([
      once(createInterface({ input: child.stdout }), 'line'),
      exited.then(() => undefined),
    ]);
    const printed = String(line?.[0] ?? '{}');
    const { url, key, pid } = JSON.parse(printed) as { url?: string; key: string; pid: number };
    if (url === undefined) throw new Error(`the service did not start: ${problem}${printed}`);
    const api = new ApiConnection(url, { 'x-sandbox-secret': key });
    return new BenchService(api, dataDirectory, pid, async () => {
      api.close();
      child.kill('SIGTERM');
      await exited;
    });
  }

  async create(id: string): Promise<void> {
    await this.api.json('POST', '/sandbox', { id, ttl_seconds: 3600 });
  }

  async destroy(id: string): Promise<void> {
    await this.api.json('DELETE', `/sandbox/${id}`);
  }

  /** Resident bytes of its process. */
  async memory(): Promise<number> {
    const status = await readFile(`/proc/${this.pid}/status`, 'utf8');
    return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) * 1024;
  }

  /** Leaves its sandboxes. */
  end(): Promise<void> {
    return this.stop();
  }
}

/** Commands of one sandbox through the API: without output in one call, else in one to start it and one for its stream. */
export function apiContender({ api }: BenchService, id: string): Contender {
  return {
    name: 'through the API',
    streams: true,
    run: async (command, bytes) => {
      const start = performance.now();
      if (bytes === 0) {
        await runInSandbox(api, id, command);
        return { firstByte: 0, total: performance.now() - start };
      }
      const { seq } = await api.json<{ readonly seq: number }>('POST', `/sandbox/${id}/exec`, { cmd: command });
      const response = await api.stream('GET', `/sandbox/${id}/events/${seq}/stream`);
      let firstByte = 0;
      let last = '';
      for await (const part of response.setEncoding('latin1')) {
        firstByte ||= performance.now() - start;
        last = (last + (part as string)).slice(-4096);
      }
      if (!last.includes('event: exit')) throw new Error(`the stream of ${command} has no end`);
      return { firstByte, total: performance.now() - start };
    },
    end: () => Promise.resolve(),
  };
}

/** A command with its result in one call. Throws unless it succeeds. */
export async function runInSandbox(api: ApiConnection, id: string, command: string): Promise<void> {
  const path = `/sandbox/${id}/exec`;
  const event = await api.json<{ readonly status: string }>('POST', path, { cmd: command, sync: true });
  if (event.status !== 'done') throw new Error(`${command} ended with ${JSON.stringify(event)}`);
}
