import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { AuthContext, Connection, ParsedKey, Session } from 'ssh2';
import { Server, utils } from 'ssh2';
import { BOOT_ENVIRONMENT } from '../../lib/contract/boot-variables';
import { HOST_KEY_PROOF_PREFIX, hostKeyProof } from '../../lib/contract/host-key-proof';
import { AddressPool } from '../../lib/local/runtimes/addresses';
import { CommandNotStartedError } from '../../lib/local/runtimes/runtime';
import type {
  ExecRequest,
  PreparedImage,
  TaskAddress,
  TaskExit,
  TaskProcess,
  TaskRuntime,
  TaskSpec,
} from '../../lib/local/runtimes/runtime';
import { generateKeyPair } from '../../lib/ssh/index';

const SIGTERM_EXIT: TaskExit = { exitCode: 143, oomKilled: false };

interface RunningTask {
  readonly server: Server;
  readonly connections: Set<Connection>;
  readonly end: (exit: TaskExit) => void;
  readonly ended: Promise<TaskExit>;
}

/**
 * Tasks for a fleet that two processor cores could not boot for real: each is an SSH server inside this process, at an
 * address of its own with a host key of its own and the proof for its nonce. Logins are checked against the task's
 * public key, and commands run in a shell of this machine with a host directory of the task's own. Left out is what an
 * image does before sshd answers.
 */
export class SshServerRuntime implements TaskRuntime {
  readonly kind = 'process';
  readonly description = 'SSH servers of the benchmark';
  private readonly tasks = new Map<string, RunningTask>();
  private readonly pool: AddressPool;

  constructor(private readonly folder: string) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.pool = new AddressPool({ file: join(folder, 'addresses.json'), endpointId: 'bench-ssh-servers' });
  }

  prepare(): Promise<PreparedImage> {
    return Promise.resolve({ reference: 'ssh-server' });
  }

  reserveAddress(taskId: string): Promise<TaskAddress> {
    return this.pool.reserve(taskId);
  }

  releaseAddress(address: TaskAddress): Promise<void> {
    this.pool.release(address);
    return Promise.resolve();
  }

  async start({ taskId, address, environment }: TaskSpec): Promise<void> {
    const hostDirectory = join(this.folder, taskId);
    mkdirSync(hostDirectory, { mode: 0o700 });
    const { privateKey } = generateKeyPair(taskId);
    const userKey = parsedKey(environment[BOOT_ENVIRONMENT.sshPublicKey] ?? '');
    const proof = hostKeyProof(environment[BOOT_ENVIRONMENT.bootNonce] ?? '', parsedKey(privateKey).getPublicSSH());
    const connections = new Set<Connection>();
    const server = new Server(
      { hostKeys: [privateKey], ident: `OpenSSH_9.2p1 ${HOST_KEY_PROOF_PREFIX}${proof}` },
      (connection) => {
        connections.add(connection);
        connection
          .on('authentication', (attempt) => authenticate(attempt, userKey))
          .on('session', (accept) => serve(accept(), { PATH: process.env.PATH, MNGR_HOST_DIR: hostDirectory }))
          .on('error', () => connection.end())
          .on('close', () => connections.delete(connection));
      },
    );
    let end: (exit: TaskExit) => void = () => undefined;
    const ended = new Promise<TaskExit>((resolve) => (end = resolve));
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(address.port, address.ip, resolve);
    });
    this.tasks.set(taskId, { server, connections, end, ended });
  }

  exec(taskId: string, { argv }: ExecRequest): Promise<TaskProcess> {
    return Promise.reject(
      new CommandNotStartedError(argv[0] ?? '', `task ${taskId} is an SSH server and nothing else`),
    );
  }

  async stop(taskId: string): Promise<void> {
    const task = this.tasks.get(taskId);
    if (task === undefined) return;
    this.tasks.delete(taskId);
    const closed = new Promise<void>((resolve) => task.server.close(() => resolve()));
    for (const connection of task.connections) connection.end();
    await closed;
    task.end(SIGTERM_EXIT);
  }

  kill(taskId: string): Promise<void> {
    return this.stop(taskId);
  }

  wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    const task = this.tasks.get(taskId);
    if (task === undefined) return Promise.resolve(SIGTERM_EXIT);
    return new Promise((resolve, reject) => {
      const aborted = (): void => reject(signal.reason as Error);
      signal.addEventListener('abort', aborted, { once: true });
      void task.ended.then((exit) => {
        signal.removeEventListener('abort', aborted);
        resolve(exit);
      });
    });
  }

  running(): Promise<string[]> {
    return Promise.resolve([...this.tasks.keys()]);
  }

  readLogs(_taskId: string, offset: number): Promise<{ lines: []; offset: number }> {
    return Promise.resolve({ lines: [], offset });
  }

  async remove(taskId: string): Promise<void> {
    await this.stop(taskId);
    await rm(join(this.folder, taskId), { recursive: true, force: true });
  }

  async removeAll(): Promise<void> {
    await Promise.all([...this.tasks.keys()].map((taskId) => this.stop(taskId)));
    await rm(this.folder, { recursive: true, force: true });
  }
}

function parsedKey(text: string): ParsedKey {
  const key = utils.parseKey(text);
  if (key instanceof Error) throw key;
  return key;
}

/** sshd's rule for `PermitRootLogin prohibit-password`: the key, proven by a signature, or nothing. */
function authenticate(attempt: AuthContext, userKey: ParsedKey): void {
  if (attempt.method !== 'publickey' || !attempt.key.data.equals(userKey.getPublicSSH())) {
    attempt.reject(['publickey']);
    return;
  }
  const { blob, signature, hashAlgo } = attempt;
  const proven =
    blob === undefined || signature === undefined || userKey.verify(blob, signature, hashAlgo ?? undefined) === true;
  if (proven) attempt.accept();
  else attempt.reject(['publickey']);
}

function serve(session: Session, environment: NodeJS.ProcessEnv): void {
  session.on('exec', (accept, _reject, { command }) => {
    const channel = accept();
    // Not bash: with a socket for its input it reads this user's .bashrc, which is no part of a host.
    const shell = spawn('/bin/sh', ['-c', command], { env: environment, stdio: 'pipe' });
    channel.pipe(shell.stdin);
    shell.stdout.pipe(channel, { end: false });
    shell.stderr.pipe(channel.stderr, { end: false });
    shell.stdin.on('error', () => undefined);
    shell.once('close', (code) => {
      channel.exit(code ?? 255);
      channel.end();
    });
  });
}
