import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { isAlive } from '../../../lib/local/daemon/process';

const run = promisify(execFile);
/** Label with the id of the test process that a container belongs to. */
const OWNER_LABEL = 'mngr-fargate-test.owner';

export interface ContainerOptions {
  readonly image: string;
  readonly environment?: Readonly<Record<string, string>>;
  /** Further arguments of `docker create`, before the image. */
  readonly dockerArguments?: readonly string[];
  readonly command?: readonly string[];
}

/** A container of this test process. Its sshd is published on a loopback port that the engine chooses. */
export interface TestContainer {
  readonly id: string;
  sshAddress(): Promise<{ host: string; port: number }>;
  /** What a command in the container prints; rejects when it fails. */
  exec(...command: string[]): Promise<string>;
  /** Standard output and error so far. */
  logs(): Promise<string>;
  /** The exit code of the main process, once it has ended. */
  exitCode(): Promise<number>;
  /** SIGTERM, SIGKILL after `graceSeconds`; resolves with the exit code (137 says that SIGKILL was needed). */
  stop(graceSeconds: number): Promise<number>;
  start(): Promise<void>;
  remove(): Promise<void>;
}

/** Starts a container. `removeContainers` in an afterAll takes it away, and so does the next test process if this one dies. */
export async function startContainer(options: ContainerOptions): Promise<TestContainer> {
  await removeAbandoned();
  const environment = Object.entries(options.environment ?? {}).flatMap(([name, value]) => [
    '--env',
    `${name}=${value}`,
  ]);
  const { stdout } = await run('docker', [
    'run',
    '--detach',
    '--label',
    `${OWNER_LABEL}=${process.pid}`,
    '--publish',
    '127.0.0.1::22',
    ...environment,
    ...(options.dockerArguments ?? []),
    options.image,
    ...(options.command ?? []),
  ]);
  return containerOf(stdout.trim());
}

/** Removes every container that this process has started. */
export async function removeContainers(): Promise<void> {
  await removeOwned((owner) => owner === process.pid);
}

let abandoned: Promise<void> | undefined;
const removeAbandoned = (): Promise<void> => (abandoned ??= removeOwned((owner) => !isAlive(owner)));

async function removeOwned(isOurs: (owner: number) => boolean): Promise<void> {
  const format = `{{.ID}} {{.Label "${OWNER_LABEL}"}}`;
  const { stdout } = await run('docker', ['ps', '--all', '--filter', `label=${OWNER_LABEL}`, '--format', format]);
  const ids = stdout
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([id, owner]) => id !== '' && isOurs(Number(owner)))
    .map(([id]) => id as string);
  if (ids.length > 0) await run('docker', ['rm', '--force', '--volumes', ...ids]);
}

function containerOf(id: string): TestContainer {
  const exitCode = async (): Promise<number> => Number((await run('docker', ['wait', id])).stdout);
  return {
    id,
    exitCode,
    async sshAddress() {
      const { stdout } = await run('docker', ['port', id, '22/tcp']);
      const [host, port] = (stdout.split('\n')[0] as string).split(':');
      return { host: host as string, port: Number(port) };
    },
    async exec(...command) {
      return (await run('docker', ['exec', id, ...command], { maxBuffer: 16 * 1024 * 1024 })).stdout;
    },
    async logs() {
      const { stdout, stderr } = await run('docker', ['logs', id], { maxBuffer: 16 * 1024 * 1024 });
      return stdout + stderr;
    },
    async stop(graceSeconds) {
      await run('docker', ['stop', '--time', String(graceSeconds), id]);
      return exitCode();
    },
    async start() {
      await run('docker', ['start', id]);
    },
    async remove() {
      await run('docker', ['rm', '--force', '--volumes', id]);
    },
  };
}
