import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, lstatSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import type { EngineStatus } from '../../lib/contract/sandboxd';
import type { Settings } from './settings';
import { placesIn, settingsArguments } from './settings';
import { TokenCheck } from './token';

export interface Started {
  readonly socket: string;
  readonly digest: string;
  readonly pid: number;
}

const READY_MS = 30_000;
const SHORTEST_TOKEN = 32;

/**
 * Makes sure that one engine of this file and this token runs, apart from whoever called. One that already does is left
 * alone. Any other is replaced: the old one ends, without its shells and commands, and the new one takes them over.
 */
export async function start(settings: Settings, digest: string, token: string): Promise<Started> {
  if (token.length < SHORTEST_TOKEN || /\s/.test(token)) {
    throw new Error(
      `the token on stdin is too short or has spaces: send one line of at least ${SHORTEST_TOKEN} characters`,
    );
  }
  const places = placesIn(settings.directory);
  prepare(settings.directory);
  const running = await statusOf(places.socket, token);
  if (running?.digest === digest) return { socket: places.socket, digest, pid: running.pid };
  const old = readPid(places.lock);
  if (old !== undefined) stop(old);
  TokenCheck.of(token).write(places.tokenHash);
  const log = openSync(join(settings.directory, 'log'), 'a', 0o600);
  // The lock is the kernel's: there is never a second engine, and never a stale lock. flock(1) gives it to the engine.
  const child = spawn(
    'flock',
    [
      '--timeout',
      '10',
      '--conflict-exit-code',
      '75',
      '--no-fork',
      places.lock,
      process.execPath,
      __filename,
      'serve',
      ...settingsArguments(settings),
    ],
    {
      detached: true,
      stdio: ['ignore', 'pipe', log],
      cwd: '/',
      env: { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' },
    },
  );
  const output = child.stdout as Readable;
  const failed = once(child, 'exit').then(([code]: unknown[]) => {
    throw new Error(
      code === 75
        ? `another engine holds ${places.lock} and doesn't end: end process ${old ?? 'of it'}`
        : `the engine ended at its start: see ${join(settings.directory, 'log')}`,
    );
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), READY_MS);
  try {
    await Promise.race([
      once(output, 'data'),
      failed,
      once(child, 'error').then(([error]) => Promise.reject(error as Error)),
    ]);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    throw new Error('there is no flock on this machine: install util-linux', { cause: error });
  } finally {
    clearTimeout(timer);
    failed.catch(() => undefined);
    output.destroy();
    child.unref();
  }
  return { socket: places.socket, digest, pid: child.pid as number };
}

/** The folder must be ours, and nobody else's. */
function prepare(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o711 });
  const found = lstatSync(directory);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${directory} is not a folder of this user: remove it`);
  }
  chmodSync(directory, 0o711);
}

/** undefined if no engine answers to this token. */
function statusOf(socketPath: string, token: string): Promise<EngineStatus | undefined> {
  return new Promise((resolve) => {
    const call = request({
      socketPath,
      path: '/v1/status',
      headers: { authorization: `Bearer ${token}` },
      timeout: 2_000,
    });
    call.on('error', () => resolve(undefined)).on('timeout', () => call.destroy());
    call.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('error', () => resolve(undefined));
      response.on('end', () => resolve(response.statusCode === 200 ? (JSON.parse(text) as EngineStatus) : undefined));
    });
    call.end();
  });
}

/** Who holds the lock: /proc/locks names it by the file's inode. */
function readPid(lock: string): number | undefined {
  try {
    const { ino } = lstatSync(lock);
    for (const line of readFileSync('/proc/locks', 'latin1').split('\n')) {
      const [, pid, inode] = /^\d+: FLOCK\s+\S+\s+WRITE\s+(\d+)\s+[0-9a-f]+:[0-9a-f]+:(\d+)/.exec(line) ?? [];
      if (Number(inode) === ino) return Number(pid);
    }
  } catch {
    // There is none.
  }
  return undefined;
}

function stop(pid: number): void {
  try {
    process.kill(pid, 'SIGTERM');
  } catch {
    // It has ended.
  }
}
