import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { runCommand } from '../command';
import { ApiConnection } from './api-connection';
import type { Contender } from './contender';

const PATIENCE_MS = 60_000;

/** SWE-ReX's server from PyPI in an environment of its own: a bash that it drives through a terminal, over HTTP. */
export async function sweRex(folder: string): Promise<Contender | string> {
  const environment = join(folder, 'swe-rex');
  try {
    await runCommand({ program: 'python3', args: ['-m', 'venv', environment] });
    await runCommand({ program: join(environment, 'bin', 'pip'), args: ['install', '--quiet', 'swe-rex'] });
  } catch (error) {
    return `SWE-ReX: it can't be installed (${(error as Error).message.split('\n')[0]})`;
  }
  const port = await freePort();
  const key = randomBytes(16).toString('hex');
  const server = spawn(
    join(environment, 'bin', 'swerex-remote'),
    ['--host', '127.0.0.1', '--port', String(port), '--auth-token', key],
    { stdio: 'ignore' },
  );
  const api = new ApiConnection(`http://127.0.0.1:${port}`, { 'x-api-key': key });
  await answers(api, server);
  await api.json('POST', '/create_session', { startup_source: [], session_type: 'bash' });
  return {
    name: 'SWE-ReX',
    streams: false,
    run: async (command) => {
      const start = performance.now();
      await api.json('POST', '/run_in_session', { action_type: 'bash', command, check: 'raise', timeout: 60 });
      return { firstByte: 0, total: performance.now() - start };
    },
    end: async () => {
      api.close();
      const ended = once(server, 'exit');
      server.kill('SIGKILL');
      await ended;
    },
  };
}

async function answers(api: ApiConnection, server: ChildProcess): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const alive = await api.json('GET', '/is_alive').catch(() => undefined);
    if (alive !== undefined) return;
    if (server.exitCode !== null || performance.now() > deadline)
      throw new Error('the server of SWE-ReX never answered');
    await sleep(100);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
