import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { ContainerCreateOptions, ContainerInfo, HostConfig } from 'dockerode';
import { ensurePrivateFolder } from '../../util/private-folder';
import { AddressPool } from './addresses';
import { execInContainer } from './container-exec';
import { ContainerImages, statusOf } from './container-images';
import { parseEngineLogs } from './container-logs';
import type { Engine } from './engine';
import type {
  ExecRequest,
  ImageSource,
  PreparedImage,
  TaskAddress,
  TaskExit,
  TaskProcess,
  TaskRuntime,
  TaskSpec,
} from './runtime';

export interface ContainerRuntimeOptions {
  /** Folder of the endpoint's own; made with mode 0700. */
  readonly stateDirectory: string;
  readonly endpointId: string;
  /** Size of the pool of task addresses; see AddressPool. */
  readonly addressPoolSize?: number;
}

/** Labels of a task's container, by which a later endpoint process finds it. */
export const CONTAINER_LABELS = {
  endpoint: 'mngr-fargate-local.endpoint',
  task: 'mngr-fargate-local.task',
  container: 'mngr-fargate-local.container',
} as const;

const SSH_PORT = '22/tcp';
/** Exit code of a task whose container was removed from outside: that of SIGKILL. */
const LOST = 137;
const CPU_UNITS = 1024;
const MIB = 1024 * 1024;

/** How far a task's log has been read: lines up to `stamp` make up `offset` bytes. */
interface LogPosition {
  readonly offset: number;
  readonly stamp: bigint;
}

/** Runs tasks as containers of a Docker-compatible engine, with port 22 published on an address of their own. */
export class ContainerRuntime implements TaskRuntime {
  readonly kind = 'container';
  readonly description: string;
  private readonly images: ContainerImages;
  private readonly pool: AddressPool;
  private readonly stateDirectory: string;
  private readonly endpointId: string;
  private readonly logPositions = new Map<string, LogPosition>();

  constructor(
    private readonly engine: Engine,
    options: ContainerRuntimeOptions,
  ) {
    this.description = `containers of ${engine.name}`;
    this.endpointId = options.endpointId;
    this.stateDirectory = resolve(options.stateDirectory, 'containers');
    this.images = new ContainerImages(engine);
    ensurePrivateFolder(this.stateDirectory, 'the addresses of tasks');
    this.pool = new AddressPool({
      file: join(this.stateDirectory, 'addresses.json'),
      endpointId: options.endpointId,
      engineBindsPorts: engine.root,
      ownAddresses: engine.sharesLoopback,
      size: options.addressPoolSize,
    });
  }

  prepare(image: ImageSource, onProgress: (line: string) => void = () => undefined): Promise<PreparedImage> {
    return Promise.resolve().then(() => this.images.prepare(image, onProgress));
  }

  reserveAddress(taskId: string): Promise<TaskAddress> {
    return this.pool.reserve(taskId);
  }

  releaseAddress(address: TaskAddress): Promise<void> {
    this.pool.release(address);
    return Promise.resolve();
  }

  async start(spec: TaskSpec): Promise<void> {
    const memory = spec.memory * MIB;
    const processors = Math.min(spec.cpu / CPU_UNITS, this.engine.processors);
    const network = spec.network === undefined ? ownNetwork(spec) : await this.sharedNetwork(spec, spec.network);
    const container = await this.engine.docker.createContainer({
      name: nameOf(spec.taskId),
      ...network.settings,
      Image: spec.image.reference,
      Env: Object.entries(spec.environment).map(([name, value]) => `${name}=${value}`),
      // As in ECS, a new entry point without a command drops the image's command as well.
      ...(spec.entryPoint === undefined ? {} : { Entrypoint: [...spec.entryPoint], Cmd: [] }),
      ...(spec.command === undefined ? {} : { Cmd: [...spec.command] }),
      WorkingDir: spec.workingDirectory,
      User: spec.user,
      Labels: {
        [CONTAINER_LABELS.endpoint]: this.endpointId,
        [CONTAINER_LABELS.task]: spec.taskId,
        [CONTAINER_LABELS.container]: spec.containerName,
      },
      HostConfig: {
        Init: spec.initProcess,
        ReadonlyRootfs: spec.readOnlyRoot,
        ...network.host,
        NanoCpus: Math.round(processors * 1e9),
        Memory: memory,
        // No swap on Fargate.
        MemorySwap: memory,
        LogConfig: { Type: 'json-file', Config: {} },
        RestartPolicy: { Name: 'no' },
        Mounts: (spec.mounts ?? []).map(({ source, target, readOnly }) => ({
          Type: 'bind' as const,
          Source: source,
          Target: target,
          ReadOnly: readOnly,
        })),
      },
    });
    try {
      await container.start();
    } catch (error) {
      await container.remove({ force: true, v: true }).catch(() => undefined);
      throw error;
    }
  }

  /**
   * Joins the network that a task's containers share. A container that only sleeps holds it, so that it outlasts each
   * of them, as on Fargate. It uses the image of the first container, which needs `sleep`.
   */
  private async sharedNetwork(spec: TaskSpec, network: string): Promise<NetworkSettings> {
    const id = networkIdOf(network);
    const { settings, host } = ownNetwork(spec);
    try {
      await this.engine.docker.createContainer({
        name: nameOf(id),
        ...settings,
        Image: spec.image.reference,
        Entrypoint: ['sleep', 'infinity'],
        Cmd: [],
        User: '0',
        Labels: { [CONTAINER_LABELS.endpoint]: this.endpointId },
        HostConfig: { ...host, Init: true, RestartPolicy: { Name: 'no' } },
      });
    } catch (error) {
      // 409: another container of the task has made it.
      if (statusOf(error) !== 409) throw error;
    }
    await unlessGone(this.container(id).start());
    return { settings: {}, host: { NetworkMode: `container:${nameOf(id)}` } };
  }

  exec(taskId: string, request: ExecRequest): Promise<TaskProcess> {
    return execInContainer(this.container(taskId), taskId, request);
  }

  async stop(taskId: string, graceSeconds: number): Promise<void> {
    await unlessGone(this.container(taskId).stop({ t: Math.ceil(graceSeconds) }));
  }

  async kill(taskId: string): Promise<void> {
    await unlessGone(this.container(taskId).kill({ signal: 'SIGKILL' }));
    // The engine answers before the container has ended.
    await unlessGone(this.container(taskId).wait());
  }

  async wait(taskId: string, signal: AbortSignal): Promise<TaskExit> {
    signal.throwIfAborted();
    await unlessGone(this.container(taskId).wait({ abortSignal: signal }));
    signal.throwIfAborted();
    const details = await unlessGone(this.container(taskId).inspect());
    if (details === undefined) return { exitCode: LOST, oomKilled: false };
    return { exitCode: details.State.ExitCode, oomKilled: details.State.OOMKilled };
  }

  async running(): Promise<string[]> {
    const containers = await this.containers(false);
    return containers.flatMap((container) => container.Labels[CONTAINER_LABELS.task] ?? []);
  }

  async readLogs(
    taskId: string,
    fromOffset: number,
  ): Promise<{ lines: { at: Date; message: string }[]; offset: number }> {
    const known = this.logPositions.get(taskId);
    const start = known?.offset === fromOffset ? known : { offset: 0, stamp: 0n };
    const since = `${start.stamp / 1_000_000_000n}.${String(start.stamp % 1_000_000_000n).padStart(9, '0')}`;
    const data = await unlessGone(
      // The types want a number, which has too few digits for nanoseconds.
      this.container(taskId).logs({ stdout: true, stderr: true, timestamps: true, since: since as unknown as number }),
    );
    let { offset, stamp } = start;
    const lines: { at: Date; message: string }[] = [];
    for (const line of parseEngineLogs(data ?? Buffer.alloc(0))) {
      if (line.stamp <= start.stamp) continue;
      if (offset >= fromOffset) lines.push({ at: new Date(Number(line.stamp / 1_000_000n)), message: line.message });
      offset += line.bytes;
      stamp = line.stamp;
    }
    this.logPositions.set(taskId, { offset, stamp });
    return { lines, offset: Math.max(offset, fromOffset) };
  }

  async remove(taskId: string): Promise<void> {
    this.logPositions.delete(taskId);
    await unlessGone(this.container(taskId).remove({ force: true, v: true }));
    await unlessGone(this.container(networkIdOf(taskId)).remove({ force: true, v: true }));
  }

  /** Images stay, as the engine's cache. */
  async removeAll(): Promise<void> {
    const containers = await this.containers(true);
    await Promise.all(
      containers.map(({ Id }) => unlessGone(this.engine.docker.getContainer(Id).remove({ force: true, v: true }))),
    );
    await rm(this.stateDirectory, { recursive: true, force: true });
  }

  private container(taskId: string): ReturnType<Engine['docker']['getContainer']> {
    return this.engine.docker.getContainer(nameOf(taskId));
  }

  private containers(all: boolean): Promise<ContainerInfo[]> {
    const label = [`${CONTAINER_LABELS.endpoint}=${this.endpointId}`];
    return this.engine.docker.listContainers({ all, filters: { label } });
  }
}

/** What an engine is told about a container's network. */
interface NetworkSettings {
  readonly settings: Pick<ContainerCreateOptions, 'Hostname' | 'ExposedPorts'>;
  readonly host: Pick<HostConfig, 'PortBindings' | 'NetworkMode'>;
}

const ownNetwork = ({ address }: TaskSpec): NetworkSettings => ({
  settings: { Hostname: `ip-${address.ip.replaceAll('.', '-')}`, ExposedPorts: { [SSH_PORT]: {} } },
  host: { PortBindings: { [SSH_PORT]: [{ HostIp: address.ip, HostPort: String(address.port) }] } },
});

const networkIdOf = (taskId: string): string => `network-${taskId}`;

const nameOf = (taskId: string): string => `mngr-fargate-${taskId}`;

/**
 * Undefined if the engine says that there is nothing to do: 304 already stopped, 404 no such container, 409 not running
 * or already being removed.
 */
async function unlessGone<T>(call: Promise<T>): Promise<T | undefined> {
  try {
    return await call;
  } catch (error) {
    if ([304, 404, 409].includes(statusOf(error) ?? 0)) return undefined;
    throw error;
  }
}
