import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { MngrFargateError } from '../../contract/errors';

/** A Docker-compatible engine that answers. */
export interface Engine {
  readonly docker: Docker;
  /** Description for people: `Docker 28.2.2 at /var/run/docker.sock`. */
  readonly name: string;
  /** Processors of the engine's machine; it refuses a container that asks for more. */
  readonly processors: number;
  /** As the engine names it: `x86_64`, `aarch64`. */
  readonly architecture: string;
  /** False for an engine without root, which may only bind low ports if the machine lets everybody do so. */
  readonly root: boolean;
  /** False where the engine runs in a virtual machine, which forwards ports of 127.0.0.1 alone. */
  readonly sharesLoopback: boolean;
}

const PING_TIMEOUT_MS = 3_000;

/**
 * The engine that `DOCKER_HOST` names, else the first that answers at one of the usual sockets. Undefined when none
 * does. Throws `usage` for a `DOCKER_HOST` of another machine, where tasks could not be reached over loopback.
 */
export async function findEngine(environment: NodeJS.ProcessEnv = process.env): Promise<Engine | undefined> {
  for (const connection of connections(environment)) {
    const engine = await connect(connection);
    if (engine !== undefined) return engine;
  }
  return undefined;
}

interface Connection {
  readonly name: string;
  readonly options: { socketPath: string } | { host: string; port: number; protocol: 'http' };
}

function connections(environment: NodeJS.ProcessEnv): Connection[] {
  const { DOCKER_HOST: dockerHost } = environment;
  if (dockerHost === undefined || dockerHost === '') {
    return sockets(environment)
      .filter((path) => existsSync(path))
      .map((socketPath) => ({ name: socketPath, options: { socketPath } }));
  }
  if (dockerHost.startsWith('unix://')) {
    return [{ name: dockerHost, options: { socketPath: dockerHost.slice('unix://'.length) } }];
  }
  const url = URL.canParse(dockerHost) ? new URL(dockerHost) : undefined;
  const loopback = url !== undefined && /^(localhost|127\.\d+\.\d+\.\d+)$/.test(url.hostname);
  if (url?.protocol !== 'tcp:' || !loopback || environment.DOCKER_TLS_VERIFY === '1') {
    throw new MngrFargateError(
      'usage',
      `DOCKER_HOST is "${dockerHost}", but tasks can be reached only through an engine of this machine: unix://PATH or tcp://127.0.0.1:PORT without TLS`,
      { hint: 'unset DOCKER_HOST, or run tasks as processes of this machine' },
    );
  }
  return [{ name: dockerHost, options: { host: url.hostname, port: Number(url.port || 2375), protocol: 'http' } }];
}

/** Docker, rootless Docker, Docker Desktop, Colima, Rancher Desktop, OrbStack; Podman, rootless and with root. */
function sockets(environment: NodeJS.ProcessEnv): string[] {
  const home = environment.HOME ?? homedir();
  const runtime = environment.XDG_RUNTIME_DIR;
  const inRuntime = runtime === undefined ? [] : [join(runtime, 'docker.sock'), join(runtime, 'podman', 'podman.sock')];
  const inHome = [
    '.docker/run/docker.sock',
    '.docker/desktop/docker.sock',
    '.colima/default/docker.sock',
    '.rd/docker.sock',
    '.orbstack/run/docker.sock',
    '.local/share/containers/podman/machine/podman.sock',
  ].map((path) => join(home, path));
  return ['/var/run/docker.sock', ...inRuntime, ...inHome, '/run/podman/podman.sock'];
}

async function connect({ name, options }: Connection): Promise<Engine | undefined> {
  // Loaded here, so that processes don't pay for it. `host: undefined` keeps dockerode from reading DOCKER_HOST again.
  const { default: DockerClient } = await import('dockerode');
  const target = { host: undefined, ...options };
  const docker = new DockerClient(target);
  try {
    await new DockerClient({ ...target, timeout: PING_TIMEOUT_MS }).ping();
    const [info, version] = (await Promise.all([docker.info(), docker.version()])) as [EngineInfo, EngineVersion];
    const podman = (version.Components ?? []).some((component) => component.Name.includes('Podman'));
    const security = info.SecurityOptions ?? [];
    return {
      docker,
      name: `${podman ? 'Podman' : 'Docker'} ${version.Version} at ${name}`,
      processors: info.NCPU,
      architecture: info.Architecture,
      root: !security.some((option) => option.includes('rootless')),
      sharesLoopback: process.platform === 'linux' && info.OperatingSystem !== 'Docker Desktop',
    };
  } catch {
    return undefined;
  }
}

/** What is used of `GET /info` and `GET /version`; dockerode leaves these untyped. */
interface EngineInfo {
  readonly NCPU: number;
  readonly Architecture: string;
  readonly OperatingSystem: string;
  readonly SecurityOptions?: readonly string[];
}

interface EngineVersion {
  readonly Version: string;
  readonly Components?: readonly { readonly Name: string }[];
}
