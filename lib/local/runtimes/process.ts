import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, renameSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { BOOT_ENVIRONMENT } from '../../contract/boot-variables';
import { MngrFargateError } from '../../contract/errors';
import { writePrivateFileSync } from '../../util/atomic-file';
import { ensurePrivateFolder } from '../../util/private-folder';
import { LOCAL_DIRECTORY_VARIABLE } from '../daemon/files';
import { AddressPool } from './addresses';
import { filesIn, hashFiles, hashText } from './image-folder';
import { isAlive, processesOf, signal } from './machine-processes';
import type { ProcessIdentity } from './machine-processes';
import type { Refusal, WriteLayer } from './namespaces';
import { enterNamespaces, findWriteLayer, hasOwnRoot, IN_NAMESPACES } from './namespaces';
import { missingPrograms } from './prerequisites';
import { execInPlace } from './process-exec';
import { NAMESPACED_IMAGE_FOLDER, PROCESS_SCRIPTS } from './process-scripts';
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
import { ImageUnavailableError, TaskNotRunningError } from './runtime';
import { TaskFiles } from './task-files';

export interface ProcessRuntimeOptions {
  /** Folder of the endpoint's own; made with mode 0700. */
  readonly stateDirectory: string;
  readonly endpointId: string;
  /** `auto` (default) uses namespaces where the machine permits them; `off` never does. */
  readonly namespaces?: 'auto' | 'off';
  /** Size of the pool of task addresses; see AddressPool. */
  readonly addressPoolSize?: number;
}

/**
 * Folders of the state directory. Short, because tmux's sockets are below them if tasks don't have their own file
 * system.
 */
const PROCESSES = 'p';
const TASKS = 't';
/** What a task of the longest id adds to its folder's path, with the socket that the image keeps there. */
const TASK_SOCKET = join('0'.repeat(32), 'root', 'run', 'tmux-0', 'default');
/** The shortest of the systems' limits for a Unix socket's path: macOS's, without the ending zero. */
const SOCKET_PATH_LIMIT = 103;
/** By its path, since a task's PATH is the task's own. */
const BASH = '/bin/bash';
const ENTRYPOINT = 'entrypoint.sh';
const POLL_MS = 50;
const START_TIMEOUT_MS = 30_000;
/**
 * Exit code of a task whose end was not recorded, because the machine restarted or its supervisor was killed: that of
 * SIGKILL.
 */
const LOST = 137;

/**
 * Runs tasks as processes of this machine, with the machine's own sshd. There is no reliable isolation: tasks share the
 * machine's network, user and kernel resources. Where the machine permits namespaces, a task has its own process ids
 * and its own view of the file system, so that it sees the paths a container would, changes nothing of the machine, and
 * leaves nothing behind. Elsewhere the image's scripts run below `MNGR_ROOT`, and what they leave behind is removed.
 *
 * Make it with `ProcessRuntime.create`.
 */
export class ProcessRuntime implements TaskRuntime {
  readonly kind = 'process';
  readonly description: string;
  private readonly tasks: string;
  private readonly images: string;
  private readonly pool: AddressPool;

  private constructor(
    private readonly stateDirectory: string,
    private readonly scripts: Readonly<Record<keyof typeof PROCESS_SCRIPTS, string>>,
    /** A refusal: tasks have no namespaces of their own. */
    private readonly writeLayer: WriteLayer | Refusal,
    options: ProcessRuntimeOptions,
  ) {
    this.tasks = join(stateDirectory, TASKS);
    this.images = join(stateDirectory, 'images');
    this.pool = new AddressPool({
      file: join(stateDirectory, 'addresses.json'),
      endpointId: options.endpointId,
      size: options.addressPoolSize,
    });
    this.description =
      typeof writeLayer === 'object'
        ? `processes of this machine, without isolation (no namespaces: ${writeLayer.because}): tasks can read and change whatever you can`
        : "processes of this machine with their own process ids and file-system layer; network and kernel are shared, so don't run code you don't trust";
  }

  /**
   * Throws `denied` without root, which an sshd that lets root in needs, `failed` where programs are missing, and `usage`
   * where the folder's path is too long for sockets below it.
   */
  static async create(options: ProcessRuntimeOptions): Promise<ProcessRuntime> {
    assertThatProcessesCanRun();
    const stateDirectory = resolve(options.stateDirectory, PROCESSES);
    for (const folder of ['', TASKS, 'images', 'scripts']) {
      ensurePrivateFolder(join(stateDirectory, folder), 'scripts and images that tasks run as root');
    }
    const scripts = writeScripts(stateDirectory);
    const writeLayer =
      options.namespaces === 'off'
        ? { because: 'they are switched off' }
        : await findWriteLayer(stateDirectory, scripts.runNamespaced);
    if (typeof writeLayer === 'object') assertThatSocketsFit(resolve(options.stateDirectory), writeLayer);
    return new ProcessRuntime(stateDirectory, scripts, writeLayer, options);
  }

  get cannotMount(): string | undefined {
    if (typeof this.writeLayer !== 'object') return undefined;
    return `tasks run as processes without a file system of their own here (${this.writeLayer.because})`;
  }

  /** True if tasks have their own namespaces. */
  get namespaced(): boolean {
    return typeof this.writeLayer === 'string';
  }

  /** Copies the folder, so that a task doesn't see later changes of it. */
  prepare(image: ImageSource, onProgress: (line: string) => void = () => undefined): Promise<PreparedImage> {
    return Promise.resolve().then(() => {
      if (image.type === 'uri') {
        throw new ImageUnavailableError(
          `${image.uri} can't be run as processes of this machine: only images with a folder and its ${ENTRYPOINT} can; start Docker or Podman to run other images`,
        );
      }
      if (!existsSync(join(image.path, ENTRYPOINT))) {
        throw new ImageUnavailableError(`${image.path} has no ${ENTRYPOINT}, which processes need to run an image`);
      }
      const reference = join(this.images, hashFiles(image.path, filesIn(image.path)).slice(0, 32));
      if (!existsSync(reference)) {
        onProgress(`copying ${image.path}`);
        const copy = `${reference}.${process.pid}`;
        cpSync(image.path, copy, { recursive: true });
        if (existsSync(reference)) return rm(copy, { recursive: true }).then(() => ({ reference }));
        renameSync(copy, reference);
      }
      return { reference };
    });
  }

  reserveAddress(taskId: string): Promise<TaskAddress> {
    return this.pool.reserve(taskId);
  }

  releaseAddress(address: TaskAddress): Promise<void> {
    this.pool.release(address);
    return Promise.resolve();
  }

  /** Throws `usage` for settings that processes don't support: a user other than root. */
  async start(spec: TaskSpec): Promise<void> {
    if (spec.user !== undefined && !/^(root|0)(:(root|0))?$/.test(spec.user)) {
      throw new MngrFargateError(
        'usage',
        `user "${spec.user}" is not supported when tasks run as processes: they run as root; start Docker or Podman for other users`,
      );
    }
    const files = this.files(spec.taskId);
    if (!this.namespaced) makePrivilegeSeparationFolder();
    const environment = this.environment(spec, files);
    files.create({
      taskId: spec.taskId,
      address: spec.address,
      sharesAddress: spec.network !== undefined && spec.network !== spec.taskId,
      namespaced: this.namespaced,
      environment,
      workingDirectory: this.workingDirectory(spec, files),
    });
    const child = spawn(BASH, ['-p', this.scripts.supervise, files.folder, ...this.commandLine(spec, files)], {
      cwd: '/',
      detached: true,
      env: environment,
      stdio: 'ignore',
    });
    await new Promise<void>((started, failed) => child.once('spawn', started).once('error', failed));
    child.unref();
    const deadline = Date.now() + START_TIMEOUT_MS;
    while (files.main() === undefined && files.exitCode() === undefined) {
      if (Date.now() > deadline) {
        await this.kill(spec.taskId);
        throw new MngrFargateError('timed-out', `task ${spec.taskId} didn't start in ${START_TIMEOUT_MS / 1000} s`);
      }
      await sleep(2);
    }
  }

  async exec(taskId: string, request: ExecRequest): Promise<TaskProcess> {
    const files = this.files(taskId);
    const main = await this.entered(files);
    const record = files.record();
    if (main === undefined || record === undefined) throw new TaskNotRunningError(taskId);
    const { environment, workingDirectory, namespaced } = record;
    return execInPlace({ enter: namespaced ? enterNamespaces(main.pid) : [], environment, workingDirectory }, request);
  }

  async stop(taskId: string, graceSeconds: number): Promise<void> {
    const files = this.files(taskId);
    const deadline = Date.now() + graceSeconds * 1000;
    const hasTime = (): boolean => this.isRunning(files) && Date.now() < deadline;
    // A task that has only just been started has no first process yet.
    while (files.main() === undefined && hasTime()) await sleep(POLL_MS);
    const main = files.main();
    if (main !== undefined) signal(main, 'SIGTERM');
    while (hasTime()) await sleep(POLL_MS);
    await this.kill(taskId);
  }

  async kill(taskId: string): Promise<void> {
    const files = this.files(taskId);
    while (this.isRunning(files)) {
      const main = files.main();
      const supervisor = files.supervisor();
      if (main !== undefined) signal(main, 'SIGKILL');
      // The supervisor leads the process group that the first process is born into.
      else if (supervisor !== undefined) signal({ ...supervisor, group: true }, 'SIGKILL');
      await sleep(5);
    }
    await this.finish(files);
  }

  async wait(taskId: string, abort: AbortSignal): Promise<TaskExit> {
    const files = this.files(taskId);
    while (this.isRunning(files)) await sleep(POLL_MS, undefined, { signal: abort });
    await this.finish(files);
    return { exitCode: files.exitCode() ?? LOST, oomKilled: false };
  }

  running(): Promise<string[]> {
    return Promise.resolve(TaskFiles.ids(this.tasks).filter((taskId) => this.isRunning(this.files(taskId))));
  }

  readLogs(taskId: string, fromOffset: number): Promise<{ lines: { at: Date; message: string }[]; offset: number }> {
    return this.files(taskId).log(fromOffset);
  }

  async remove(taskId: string): Promise<void> {
    await this.kill(taskId);
    await rm(this.files(taskId).folder, { recursive: true, force: true, maxRetries: 5 });
  }

  async removeAll(): Promise<void> {
    await Promise.all(TaskFiles.ids(this.tasks).map((taskId) => this.remove(taskId)));
    await rm(this.stateDirectory, { recursive: true, force: true });
  }

  private files(taskId: string): TaskFiles {
    return new TaskFiles(this.tasks, taskId);
  }

  /** The task's first process once it sees the task's own file system; undefined when the task doesn't run. */
  private async entered(files: TaskFiles): Promise<ProcessIdentity | undefined> {
    for (;;) {
      const main = files.main();
      const ready = main !== undefined && (files.record()?.namespaced !== true || hasOwnRoot(main.pid));
      if (!this.isRunning(files)) return undefined;
      if (ready) return main;
      await sleep(5);
    }
  }

  private isRunning(files: TaskFiles): boolean {
    if (files.exitCode() !== undefined) return false;
    return [files.supervisor(), files.main()].some((identity) => identity !== undefined && isAlive(identity));
  }

  /**
   * After a task's first process has ended: ends the processes that it left behind, and lets the supervisor write its
   * last lines.
   */
  private async finish(files: TaskFiles): Promise<void> {
    const record = files.record();
    const supervisor = files.supervisor();
    if (record === undefined) return;
    for (;;) {
      const address = record.sharesAddress === true ? undefined : record.address;
      const left = record.namespaced ? [] : processesOf(files.folder, address);
      const others = left.filter((pid) => pid !== supervisor?.pid);
      for (const pid of others) killIfThere(pid);
      const stamping = supervisor !== undefined && isAlive(supervisor);
      if (others.length === 0 && !stamping) return;
      await sleep(5);
    }
  }

  private commandLine(spec: TaskSpec, files: TaskFiles): string[] {
    const imageFolder = this.namespaced ? NAMESPACED_IMAGE_FOLDER : spec.image.reference;
    const entryPoint = spec.entryPoint ?? [BASH, join(imageFolder, ENTRYPOINT)];
    const command = [...entryPoint, ...(spec.command ?? [])];
    const directory = this.workingDirectory(spec, files);
    if (typeof this.writeLayer === 'object') {
      return [BASH, '-p', this.scripts.runPrefixed, files.folder, directory, ...command];
    }
    const hostName = `ip-${spec.address.ip.replaceAll('.', '-')}`;
    const layer = [files.folder, spec.image.reference, this.writeLayer, hostName, spec.address.ip, directory];
    const first = spec.initProcess ? 'init' : 'exec';
    const mounts = (spec.mounts ?? []).flatMap(({ source, target, readOnly }) => [
      readOnly ? 'ro' : 'rw',
      source,
      target,
    ]);
    const volumes = [String(spec.mounts?.length ?? 0), ...mounts];
    return [...IN_NAMESPACES, BASH, '-p', this.scripts.runNamespaced, ...layer, first, ...volumes, ...command];
  }

  private workingDirectory({ workingDirectory = '/' }: TaskSpec, files: TaskFiles): string {
    return this.namespaced ? workingDirectory : join(files.folder, 'root', workingDirectory);
  }

  /** The task's own environment and what every container has, without the endpoint's. */
  private environment(spec: TaskSpec, files: TaskFiles): Record<string, string> {
    const root = this.namespaced ? '' : join(files.folder, 'root');
    return {
      PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
      LANG: 'C.UTF-8',
      HOME: `${root}/root`,
      ...spec.environment,
      [BOOT_ENVIRONMENT.sshPort]: String(spec.address.port),
      [BOOT_ENVIRONMENT.sshListenAddress]: spec.address.ip,
      ...(this.namespaced ? {} : { [BOOT_ENVIRONMENT.root]: root }),
    };
  }
}

function assertThatSocketsFit(stateDirectory: string, { because }: Refusal): void {
  const below = join('/', PROCESSES, TASKS, TASK_SOCKET).length;
  if (stateDirectory.length + below <= SOCKET_PATH_LIMIT) return;
  throw new MngrFargateError(
    'usage',
    `the path ${stateDirectory} is ${stateDirectory.length} characters long, and without namespaces the tmux sockets of tasks allow at most ${SOCKET_PATH_LIMIT - below} (${because})`,
    { hint: `set ${LOCAL_DIRECTORY_VARIABLE} to a shorter path, for example /run/mngr-fargate` },
  );
}

function assertThatProcessesCanRun(): void {
  if (process.getuid?.() !== 0) {
    throw new MngrFargateError('denied', 'tasks as processes need root, since logins to hosts are as root', {
      hint: 'run this as root',
    });
  }
  const missing = missingPrograms();
  if (missing === undefined) return;
  const programs = missing.programs.join(', ');
  throw new MngrFargateError('failed', `tasks as processes need programs that are missing here: ${programs}`, {
    hint: missing.command,
  });
}

/** Writes the scripts under a name made from their content, since bash reads a script while it runs it. */
function writeScripts(stateDirectory: string): Readonly<Record<keyof typeof PROCESS_SCRIPTS, string>> {
  const folder = join(stateDirectory, 'scripts');
  const write = (name: keyof typeof PROCESS_SCRIPTS): string => {
    const text = PROCESS_SCRIPTS[name];
    const file = join(folder, `${name}-${hashText(text)}.sh`);
    if (!existsSync(file)) writePrivateFileSync(file, text);
    return file;
  };
  return { supervise: write('supervise'), runPrefixed: write('runPrefixed'), runNamespaced: write('runNamespaced') };
}

/** Debian's sshd requires this folder, which only the machine's own sshd service creates. */
function makePrivilegeSeparationFolder(): void {
  if (process.platform === 'linux') mkdirSync('/run/sshd', { recursive: true, mode: 0o755 });
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
