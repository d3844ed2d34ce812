import { randomBytes } from 'node:crypto';
import type { Container, ContainerCondition, ContainerDefinition } from '@aws-sdk/client-ecs';
import type { PreparedImage, TaskExit } from '../../runtimes/runtime';
import { orAborted } from '../../../util/abort';
import type { World } from '../../world';
import { logStore } from '../logs/log-store';
import { dependentsOf } from './container-dependencies';
import { secretVariables } from './container-secrets';
import { containerMounts, removeTaskVolumes } from './container-volumes';
import { containersOf, logStreamOf, runtimeIdOf, stopTimeoutOf, taskSpec } from './container-settings';
import { watchHealth } from './health-checks';
import type { Verdict } from './health-checks';
import { containerFailure } from './start-failure';
import { taskDefinitions } from './task-definitions';
import type { TaskRecord } from './task-record';

/** How long a container that was told to stop may take to be seen as ended. Milliseconds. */
const END_PATIENCE = 10_000;
/** Exit code of a container without a process. */
const SIGTERM_EXIT = 143;

/** A promise and what settles it. */
class Moment<T> {
  readonly reached: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: Error) => void;

  constructor() {
    this.reached = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    // There may be nobody waiting for it.
    this.reached.catch(() => undefined);
  }
}

/** One container and the moments that others may wait for. */
class ContainerRun {
  readonly started = new Moment<void>();
  readonly healthy = new Moment<void>();
  readonly exited = new Moment<number>();

  constructor(
    readonly settings: ContainerDefinition,
    /** Under which the runtime knows it. */
    readonly id: string,
  ) {}

  get name(): string {
    return this.settings.name ?? '';
  }
}

/** Notifications about a task's containers. */
export interface ContainerListener {
  /** Something that DescribeTasks shows of a container has changed. */
  changed(): void;
}

/**
 * The containers of one task: each is started once what it depends on is met (ECS developer guide, "Container
 * dependency"), they share a network, and each has its own exit code, log and health.
 */
export class TaskContainers {
  private readonly runs: readonly ContainerRun[];
  /** Fires when the containers are to stop: no more are started, even if their dependencies are met. */
  private readonly stopping = new AbortController();

  constructor(
    private readonly world: World,
    private readonly record: TaskRecord,
    private readonly listener: ContainerListener,
  ) {
    const entry = world.part(taskDefinitions).find(record.task.taskDefinitionArn ?? '');
    if (entry === undefined) throw new Error(`the task definition of task ${record.id} is gone`);
    this.runs = containersOf(entry.definition).map(
      (settings) => new ContainerRun(settings, runtimeIdOf(record, settings.name)),
    );
  }

  /** Resolves when every container runs or has run. */
  get allStarted(): Promise<unknown> {
    return Promise.all(this.runs.map(({ started }) => started.reached));
  }

  /** Throws StartFailure if something is missing that the containers need besides their images. */
  checkResources(): void {
    for (const run of this.runs) this.resourcesOf(run);
  }

  /** Images of the containers that are still to be started, by the containers' names. Throws what `prepare` throws. */
  async images(
    prepare: (container: ContainerDefinition) => Promise<PreparedImage>,
  ): Promise<ReadonlyMap<string, PreparedImage>> {
    const waiting = this.runs.filter((run) => !this.wasStarted(run));
    return new Map(await Promise.all(waiting.map(async (run) => [run.name, await prepare(run.settings)] as const)));
  }

  /**
   * Starts the containers, or goes on with those that an earlier endpoint started. Resolves when an essential one has
   * ended; rejects with StartFailure when one can't be started, and when the signal fires.
   */
  run(images: ReadonlyMap<string, PreparedImage>, signal: AbortSignal): Promise<void> {
    const until = AbortSignal.any([signal, this.stopping.signal]);
    return new Promise<void>((resolve, reject) => {
      for (const run of this.runs) {
        this.live(run, images.get(run.name), until)
          .then(() => {
            if (run.settings.essential !== false) resolve();
          })
          .catch(reject);
      }
    });
  }

  /** Stops the running containers, dependents before what they depend on. */
  async stop(): Promise<void> {
    this.stopping.abort();
    const settings = this.runs.map((run) => run.settings);
    const ends = new Map<string, Promise<void>>();
    const stopOne = (run: ContainerRun): Promise<void> => {
      const known = ends.get(run.name);
      if (known !== undefined) return known;
      const dependents = this.runs.filter(({ name }) => dependentsOf(run.name, settings).includes(name));
      const end = Promise.all(dependents.map(stopOne)).then(() => this.stopNow(run));
      ends.set(run.name, end);
      return end;
    };
    await Promise.all(this.runs.map(stopOne));
  }

  async remove(): Promise<void> {
    const logs = this.world.part(logStore);
    // The first one is removed last, because the network that the others use is removed with it.
    for (const { id } of this.runs.toReversed()) {
      await logs.complete(id);
      await this.world.runtime.remove(id);
    }
    await removeTaskVolumes(this.world, this.record);
  }

  async kill(): Promise<void> {
    await Promise.all(this.runs.map(({ id }) => this.world.runtime.kill(id)));
  }

  /** True if a container was started whose end isn't known yet. */
  get running(): boolean {
    return this.runs.some((run) => this.wasStarted(run) && this.view(run)?.exitCode === undefined);
  }

  private async live(run: ContainerRun, image: PreparedImage | undefined, signal: AbortSignal): Promise<void> {
    const known = this.view(run)?.exitCode;
    if (known !== undefined) {
      run.started.resolve();
      run.healthy.reject(notHealthy(run));
      run.exited.resolve(known);
      return;
    }
    if (!this.wasStarted(run)) {
      await this.dependenciesOf(run, signal);
      signal.throwIfAborted();
      if (image === undefined) throw new Error(`the container ${run.name} has no image`);
      await this.start(run, image);
    }
    run.started.resolve();
    const ended = new AbortController();
    this.watchHealth(run, AbortSignal.any([signal, ended.signal]));
    try {
      const exit = await orAborted(
        this.withoutProcess ? new Promise<never>(() => undefined) : this.world.runtime.wait(run.id, signal),
        `waiting for the container ${run.name}`,
        signal,
      );
      this.recordExit(run, exit);
      run.healthy.reject(notHealthy(run));
      run.exited.resolve(exit.exitCode);
    } finally {
      ended.abort();
    }
  }

  private watchHealth(run: ContainerRun, signal: AbortSignal): void {
    const { healthCheck } = run.settings;
    if (healthCheck === undefined || this.withoutProcess) return;
    watchHealth(
      healthCheck,
      (argv) => this.world.runtime.exec(run.id, { argv }),
      (verdict) => this.judge(run, verdict),
      signal,
    ).catch((error: unknown) => {
      if (!signal.aborted) this.world.onFault(error);
    });
  }

  private async dependenciesOf(run: ContainerRun, signal: AbortSignal): Promise<void> {
    for (const { containerName, condition } of run.settings.dependsOn ?? []) {
      const other = this.runs.find(({ name }) => name === containerName);
      if (other === undefined)
        throw new Error(`the container ${run.name} depends on ${containerName}, which isn't there`);
      await orAborted(met(run, other, condition), `waiting for the container ${other.name}`, signal);
    }
  }

  private async start(run: ContainerRun, image: PreparedImage): Promise<void> {
    const { record, world } = this;
    const { runtime, clock } = world;
    const resources = this.resourcesOf(run);
    const log = logStreamOf(run.settings, record);
    if (log !== undefined) world.part(logStore).open(log.group, log.stream, run.id, clock.now());
    record.containerStarted = true;
    if (this.runs.length > 1) record.started = [...(record.started ?? []), run.name];
    this.listener.changed();
    if (!this.withoutProcess) {
      try {
        await runtime.start(taskSpec(record, run.settings, image, world.place.region, resources));
      } catch (error) {
        await runtime.kill(run.id);
        if (this.runs.length > 1) record.started = record.started?.filter((name) => name !== run.name);
        else record.containerStarted = false;
        const reason = error instanceof Error ? error.message : String(error);
        throw containerFailure(`CannotStartContainerError: ${reason}`, run.name);
      }
    }
    this.update(run, (container) => {
      container.lastStatus = 'RUNNING';
      container.runtimeId = `${record.id}-${randomBytes(4).readUInt32BE()}`;
      container.imageDigest = undefined;
    });
  }

  private resourcesOf({ settings }: ContainerRun): Parameters<typeof taskSpec>[4] {
    return {
      secrets: secretVariables(this.world, this.record, settings),
      mounts: containerMounts(this.world, this.record, settings),
    };
  }

  private async stopNow(run: ContainerRun): Promise<void> {
    if (!this.wasStarted(run) || this.view(run)?.exitCode !== undefined) return;
    const { runtime } = this.world;
    if (this.withoutProcess) {
      this.recordExit(run, { exitCode: SIGTERM_EXIT, oomKilled: false });
      return;
    }
    await runtime.stop(run.id, stopTimeoutOf(run.settings));
    this.recordExit(run, await runtime.wait(run.id, AbortSignal.timeout(END_PATIENCE)));
  }

  private judge(run: ContainerRun, verdict: Verdict): void {
    this.update(run, (container) => {
      container.healthStatus = verdict;
    });
    if (verdict === 'HEALTHY') run.healthy.resolve();
    else run.healthy.reject(notHealthy(run));
  }

  private recordExit(run: ContainerRun, { exitCode, oomKilled }: TaskExit): void {
    this.update(run, (container) => {
      container.lastStatus = 'STOPPED';
      container.exitCode = exitCode;
      if (oomKilled) container.reason = 'OutOfMemoryError: Container killed due to memory usage';
    });
  }

  /** The task's health is that of its essential containers which have a check. */
  private update(run: ContainerRun, change: (container: Container) => void): void {
    const container = this.view(run);
    if (container === undefined) return;
    change(container);
    const health = this.runs
      .filter(({ settings }) => settings.essential !== false && settings.healthCheck !== undefined)
      .map((other) => this.view(other)?.healthStatus);
    if (health.includes('UNHEALTHY')) this.record.task.healthStatus = 'UNHEALTHY';
    else if (health.length > 0 && health.every((status) => status === 'HEALTHY'))
      this.record.task.healthStatus = 'HEALTHY';
    this.listener.changed();
  }

  private view(run: ContainerRun): Container | undefined {
    return this.record.task.containers?.find(({ name }) => name === run.name);
  }

  private wasStarted(run: ContainerRun): boolean {
    return this.runs.length > 1 ? this.record.started?.includes(run.name) === true : this.record.containerStarted;
  }

  private get withoutProcess(): boolean {
    const { faults } = this.record;
    return faults.withoutContainer === true || faults.intruder === 'instead';
  }
}

const notHealthy = ({ name }: ContainerRun): Error =>
  containerFailure(`the container ${name} is not healthy`, undefined);

/** Resolves when the dependency is met; rejects with StartFailure once that has become impossible. */
async function met(run: ContainerRun, other: ContainerRun, condition: ContainerCondition | undefined): Promise<void> {
  const unmet = (why: string): Error =>
    containerFailure(
      `CannotStartContainerError: failed to resolve the dependency ${other.name} (${condition}) of ${run.name}: ${why}`,
      run.name,
    );
  if (condition === 'START') await other.started.reached;
  else if (condition === 'HEALTHY') {
    await other.healthy.reached.catch(() => {
      throw unmet('it is not healthy');
    });
  } else {
    const exitCode = await other.exited.reached;
    if (condition === 'SUCCESS' && exitCode !== 0) throw unmet(`it exited with ${exitCode}`);
  }
}
