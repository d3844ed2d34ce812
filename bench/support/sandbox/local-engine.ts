import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chown, mkdir } from 'node:fs/promises';
import { request } from 'node:http';
import { connect } from 'node:net';
import { join } from 'node:path';
import type { CommandRequest } from '../../../lib/contract/sandboxd';
import { connectEngine } from '../../../lib/sandbox/engine/connect-engine';
import type { EngineClient } from '../../../lib/sandbox/engine/engine-client';
import { ROOT } from '../paths';
import type { Times } from './contender';

export interface LocalEngine {
  readonly client: EngineClient;
  end(): Promise<void>;
}

/** `sandboxd` on this machine, reached through its socket without SSH. Only root's can run commands as another user. */
export async function startLocalEngine(folder: string): Promise<LocalEngine> {
  const [directory, workspace] = [join(folder, 'run'), join(folder, 'workspace')];
  await mkdir(workspace);
  await chown(workspace, 1000, 1000);
  const bundle = join(ROOT, 'dist', 'sandboxd', 'sandboxd.js');
  const token = randomBytes(24).toString('hex');
  execFileSync(
    process.execPath,
    [bundle, 'start', '--directory', directory, '--workspace', workspace, '--home', workspace],
    {
      input: `${token}\n`,
    },
  );
  const socketPath = join(directory, 'socket');
  const client = connectEngine(
    () =>
      new Promise((resolve, reject) => {
        const socket = connect(socketPath);
        socket.once('connect', () => resolve(socket)).once('error', reject);
      }),
    token,
  );
  return {
    client,
    end: () =>
      new Promise((resolve, reject) => {
        client.close();
        request({ socketPath, path: '/v1/end', method: 'POST', headers: { authorization: `Bearer ${token}` } })
          .on('response', (response) => response.resume().on('end', resolve))
          .on('error', reject)
          .end();
      }),
  };
}

/** Runs a command to its end; throws unless it exits with 0. */
export async function runToEnd(client: EngineClient, id: string, command: CommandRequest): Promise<Times> {
  const start = performance.now();
  let firstByte = 0;
  for await (const piece of client.run(id, command)) {
    if (firstByte === 0 && piece.type === 'stdout') firstByte = performance.now() - start;
    if (piece.type !== 'end') continue;
    if (piece.status.result?.exitCode !== 0) throw new Error(`${id} ended with ${JSON.stringify(piece.status)}`);
  }
  return { firstByte, total: performance.now() - start };
}
