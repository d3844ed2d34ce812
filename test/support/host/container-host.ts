import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { BOOT_ENVIRONMENT } from '../../../lib/contract/boot-variables';
import { startContainer } from './container';
import { until } from '../run/eventually';
import { ROOT } from '../run/paths';
import { freePort } from '../run/free-port';

const run = promisify(execFile);
export const ENTRYPOINT = join(ROOT, 'docker/entrypoint.sh');

/** A host that docker/ booted: in a container, or as processes below a directory. */
export interface BootedHost {
  readonly address: { readonly host: string; readonly port: number };
  readonly user: string;
  readonly nonce: string;
  readonly clientKeyFile: string;
  /** Path of a file of the host as seen by a session in it. */
  readonly pathInside: (path: string) => string;
  /** Content of a file of the host, given by its path in the image. */
  readFile(path: string): Promise<string>;
  /** What a bash script prints that runs on the host without logging in; `MNGR_HOST_DIR` is set. Rejects when it fails. */
  inside(script: string): Promise<string>;
  logs(): Promise<string>;
  /** SIGTERM to the main process; SIGKILL after 20 seconds, which shows as 137. */
  stop(): Promise<number>;
  exitCode(): Promise<number>;
  /** Boots again what has been stopped, with the same files and settings. */
  startAgain(): Promise<BootedHost>;
  remove(): Promise<void>;
}

export type BootHost = (environment?: Readonly<Record<string, string>>) => Promise<BootedHost>;

/** A client's key pair in a folder of its own. */
export async function makeClientKey(folder: string): Promise<{ file: string; publicKey: string }> {
  const file = join(folder, `key-${randomBytes(4).toString('hex')}`);
  await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', 'client', '-f', file]);
  return { file, publicKey: (await readFile(`${file}.pub`, 'utf8')).trim() };
}

/** Waits until sshd has started so many times, or the host has ended: a short boot lease may run out before. */
async function listening(logs: () => Promise<string>, end: Promise<unknown>, times = 1): Promise<void> {
  let ended = false;
  void end.then(() => (ended = true));
  await until(async () => ended || ((await logs()).match(/^Server listening/gm)?.length ?? 0) >= times);
}

/** Boots hosts in containers of the image. */
export function bootInContainer(image: string, folder: string): BootHost {
  return async (environment = {}) => {
    const key = await makeClientKey(folder);
    const nonce = randomBytes(32).toString('hex');
    const container = await startContainer({
      image,
      environment: {
        [BOOT_ENVIRONMENT.sshPublicKey]: key.publicKey,
        [BOOT_ENVIRONMENT.bootNonce]: nonce,
        ...environment,
      },
    });
    // Also when it is removed before it has ended by itself.
    const end = (): Promise<unknown> => container.exitCode().catch(() => undefined);
    const describe = async (): Promise<BootedHost> => ({
      // A host that has ended has none.
      address: await container.sshAddress().catch(() => ({ host: '127.0.0.1', port: 0 })),
      user: 'root',
      nonce,
      clientKeyFile: key.file,
      pathInside: (path) => path,
      readFile: (path) => container.exec('cat', path),
      inside: (script) => container.exec('env', 'MNGR_HOST_DIR=/mngr', 'bash', '-c', script),
      logs: () => container.logs(),
      stop: () => container.stop(20),
      exitCode: () => container.exitCode(),
      remove: () => container.remove(),
      async startAgain() {
        const before = (await container.logs()).match(/^Server listening/gm)?.length ?? 0;
        await container.start();
        await listening(container.logs, end(), before + 1);
        return describe();
      },
    });
    await listening(container.logs, end());
    return describe();
  };
}

/** Boots hosts as processes of this machine, below a directory each. */
export function bootAsProcesses(folder: string): BootHost {
  return async (environment = {}) => {
    const key = await makeClientKey(folder);
    const nonce = randomBytes(32).toString('hex');
    const root = await mkdtemp(join(folder, 'root '));
    const port = await freePort();
    const settings = {
      [BOOT_ENVIRONMENT.root]: root,
      [BOOT_ENVIRONMENT.sshListenAddress]: '127.0.0.1',
      [BOOT_ENVIRONMENT.sshPort]: String(port),
      [BOOT_ENVIRONMENT.sshPublicKey]: key.publicKey,
      [BOOT_ENVIRONMENT.bootNonce]: nonce,
      ...environment,
    };
    const boot = async (): Promise<BootedHost> => {
      const main = startEntrypoint(settings);
      const host: BootedHost = {
        address: { host: '127.0.0.1', port },
        user: userInfo().username,
        nonce,
        clientKeyFile: key.file,
        pathInside: (path) => join(root, path),
        readFile: (path) => readFile(join(root, path), 'utf8'),
        async inside(script) {
          const env = { ...process.env, MNGR_HOST_DIR: join(root, 'mngr'), TMUX_TMPDIR: join(root, 'run') };
          return (await run('bash', ['-c', script], { env })).stdout;
        },
        logs: () => Promise.resolve(main.output()),
        stop: () => main.stop(),
        exitCode: () => main.exitCode,
        startAgain: boot,
        async remove() {
          await main.stop();
          await rm(root, { recursive: true, force: true });
        },
      };
      await listening(host.logs, main.exitCode);
      return host;
    };
    return boot();
  };
}

export interface EntrypointProcess {
  output(): string;
  readonly exitCode: Promise<number>;
  stop(): Promise<number>;
}

/** Runs the image's entrypoint on this machine with these settings and nothing else of this process's environment. */
export function startEntrypoint(environment: Readonly<Record<string, string>>): EntrypointProcess {
  const child: ChildProcess = spawn('bash', [ENTRYPOINT], {
    env: { PATH: `${process.env.PATH ?? ''}:/usr/sbin:/sbin`, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr?.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const exitCode = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 137));
  });
  return {
    output: () => output,
    exitCode,
    async stop() {
      child.kill('SIGTERM');
      const killer = setTimeout(() => child.kill('SIGKILL'), 20_000);
      const code = await exitCode;
      clearTimeout(killer);
      return code;
    },
  };
}

/** A folder for one test file's keys and hosts, with a name short enough for a socket's path. */
export async function makeTestFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'mngr-'));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}
