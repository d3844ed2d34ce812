import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, TaskDefinition, TaskStopCode } from '@aws-sdk/client-ecs';
import type { Clock } from '../../state/clock';
import type { DelayPlan } from '../../control/delays';
import { Intruder } from '../../control/intruder';
import { network } from '../ec2/network';
import { networkInterfaces } from '../ec2/network-interfaces';
import type { NetworkInterfaces } from '../ec2/network-interfaces';
import { logStore } from '../logs/log-store';
import type { LogStore } from '../logs/log-store';
import { ImageUnavailableError } from '../../runtimes/runtime';
import type { PreparedImage, TaskExit, TaskRuntime } from '../../runtimes/runtime';
import { imageSourceOf } from '../../template/assembly';
import type { World } from '../../world';
import type { EcsArns } from './arns';
import { containerOf, logStreamOf, stopTimeoutOf, taskSpec } from './container-settings';
import { privateAddress } from './private-address';
import { taskDefinitions } from './task-definitions';
import type { TaskRecord } from './task-record';
import type { Tasks } from './tasks';

/** Why a task ends. */
interface Ending {
  readonly stopCode: TaskStopCode;
  readonly reason: string;
  /** Reason of the container's own, for example why its image couldn't be pulled. */
  readonly containerReason?: string;
}

/** Exit code of a task that has no container behind it. */
const SIGTERM_EXIT = 143;
const SSH_PORT = 22;

/** The task ended before it was running; carries what ECS says about it. */
class StartFailure extends Error {
  constructor(readonly ending: Ending) {
    super(ending.reason);
  }
}

/** What is going on with one task. */
interface Progress {
  /** Fires when the task is to stop; whatever it waits for then ends. */
  readonly stopping: AbortController;
  intruder?: Intruder;
  /** Resolves when the task is STOPPED. */
  done: Promise<void>;
}

/**
 * Walks tasks through ECS's states (ECS developer guide, "Amazon ECS task lifecycle"), with a real process behind
 * RUNNING and its real exit code behind STOPPED.
 */
export class TaskLifecycle {
  private readonly progress = new Map<string, Progress>();
  private readonly closing = new AbortController();

  private readonly runtime: TaskRuntime;
  private readonly clock: Clock;
  private readonly delays: DelayPlan;
  private readonly logs: LogStore;
  private readonly interfaces: NetworkInterfaces;

  constructor(
    private readonly world: World,
    private readonly tasks: Tasks,
    private readonly arns: EcsArns,
  ) {
    this.runtime = world.runtime;
    this.clock = world.clock;
    this.delays = world.delays;
    this.logs = world.part(logStore);
    this.interfaces = world.part(networkInterfaces);
  }

  /** Begins the life of a new task. */
  launch(record: TaskRecord): void {
    this.begin(record, (signal) => this.start(record, signal));
  }

  /** Goes on with a task that an earlier endpoint process had begun. `running`: its container still runs. */
  resume(record: TaskRecord, running: boolean): void {
    if (record.synthetic === true || record.task.lastStatus === 'STOPPED') return;
    if (record.task.desiredStatus === 'STOPPED') {
      this.begin(record, () => Promise.resolve());
      this.progress.get(record.id)?.stopping.abort();
      return;
    }
    this.begin(record, async (signal) => {
      if (!record.containerStarted) await this.start(record, signal);
      else if (running || record.faults.withoutContainer === true) await this.watch(record, signal);
      else await this.ended(record, await this.runtime.wait(record.id, signal));
    });
  }

  /** Asks a task to stop; one that is stopping or stopped stays as it is. */
  stop(record: TaskRecord, stopCode: TaskStopCode, reason: string): void {
    if (record.task.desiredStatus === 'STOPPED') return;
    this.markStopping(record, { stopCode, reason });
    if (record.synthetic === true) {
      this.finish(record);
      return;
    }
    this.progress.get(record.id)?.stopping.abort();
  }

  /** Resolves when the task is STOPPED. */
  async settled(id: string): Promise<void> {
    await this.progress.get(id)?.done;
  }

  /** Lets go of every task without stopping any: another endpoint process can resume them. */
  async close(): Promise<void> {
    this.closing.abort();
    for (const { stopping } of this.progress.values()) stopping.abort();
    await Promise.all([...this.progress.values()].map(({ done, intruder }) => Promise.all([done, intruder?.close()])));
  }

  private get closed(): boolean {
    return this.closing.signal.aborted;
  }

  private begin(record: TaskRecord, steps: (signal: AbortSignal) => Promise<void>): void {
    const progress: Progress = { stopping: new AbortController(), done: Promise.resolve() };
    this.progress.set(record.id, progress);
    progress.done = this.run(record, progress, steps).finally(() => this.progress.delete(record.id));
  }

  private async run(
    record: TaskRecord,
    progress: Progress,
    steps: (signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    try {
      await steps(progress.stopping.signal);
    } catch (error) {
      if (this.closed) return;
      if (error instanceof StartFailure) this.markStopping(record, error.ending);
      else if (record.task.desiredStatus !== 'STOPPED') {
        this.world.onFault(error);
        const reason = error instanceof Error ? error.message : String(error);
        this.markStopping(record, { stopCode: 'TaskFailedToStart', reason: `ResourceInitializationError: ${reason}` });
      }
    }
    if (this.closed) return;
    try {
      await this.wind(record, progress);
    } catch (error) {
      if (this.closed) return;
      this.world.onFault(error);
    }
    this.finish(record);
  }

  /** PROVISIONING to RUNNING, and on until the container ends. */
  private async start(record: TaskRecord, signal: AbortSignal): Promise<void> {
    const { delays } = this;
    if (record.networkInterfaceId === undefined) {
      await delays.wait('provisioning', signal);
      await this.attachInterface(record);
    }
    if (record.faults.intruder !== undefined) await this.letIntruderIn(record);
    await delays.wait('pending', signal);
    const image = await this.pull(record, signal);
    if (record.faults.stopWhilePending !== undefined) {
      throw new StartFailure({ stopCode: 'TaskFailedToStart', reason: record.faults.stopWhilePending });
    }
    await this.startContainer(record, image, signal);
    await delays.wait('activating', signal);
    await this.watch(record, signal);
  }

  private async attachInterface(record: TaskRecord): Promise<void> {
    const { runtime, interfaces, clock, arns } = this;
    const { subnetId, securityGroups, assignPublicIp } = record.networking;
    const subnet = this.world.part(network).subnets.get(subnetId);
    if (subnet === undefined) throw new Error(`the subnet ${subnetId} is gone`);
    record.address = await runtime.reserveAddress(record.id);
    const attachment = record.task.attachments?.[0];
    const created = interfaces.create({
      subnet,
      securityGroups,
      // Without a public address the private one is the one that leads to the task.
      privateIp: assignPublicIp ? privateAddress(subnet.cidr, record.sequence) : record.address.ip,
      publicIp: assignPublicIp ? record.address.ip : undefined,
      description: arns.attachment(attachment?.id ?? ''),
      tags: [],
      attachedAt: clock.now(),
    });
    record.networkInterfaceId = created.id;
    if (attachment !== undefined) {
      attachment.status = 'ATTACHED';
      attachment.details = [
        { name: 'subnetId', value: subnet.id },
        { name: 'networkInterfaceId', value: created.id },
        { name: 'macAddress', value: created.macAddress },
        { name: 'privateDnsName', value: created.privateDnsName },
        { name: 'privateIPv4Address', value: created.privateIp },
      ];
    }
    const { ip, port } = record.address;
    // Said together with the address: whoever knocked on port 22 meanwhile would meet the machine's own sshd.
    const networkBindings =
      port === SSH_PORT ? [] : [{ bindIP: ip, containerPort: SSH_PORT, hostPort: port, protocol: 'tcp' as const }];
    this.updateContainers(record, (container) => {
      container.networkInterfaces = [{ attachmentId: attachment?.id, privateIpv4Address: created.privateIp }];
      container.networkBindings = networkBindings;
    });
    record.task.connectivity = 'CONNECTED';
    record.task.connectivityAt = clock.now();
    this.transition(record, 'PENDING');
  }

  private async pull(record: TaskRecord, signal: AbortSignal): Promise<PreparedImage> {
    const { delays, clock, runtime } = this;
    const failed = (reason: string): StartFailure =>
      new StartFailure({ stopCode: 'TaskFailedToStart', reason, containerReason: reason });
    record.task.pullStartedAt = clock.now();
    await delays.wait('pull', signal);
    if (record.faults.imagePull !== undefined) throw failed(record.faults.imagePull);
    try {
      const image = await runtime.prepare(
        imageSourceOf(this.world.assembly.images, containerOf(this.definitionOf(record)).image ?? ''),
      );
      signal.throwIfAborted();
      record.task.pullStoppedAt = clock.now();
      this.tasks.saveQuietly(record);
      return image;
    } catch (error) {
      if (error instanceof ImageUnavailableError) throw failed(`CannotPullContainerError: ${error.message}`);
      throw error;
    }
  }

  private async startContainer(record: TaskRecord, image: PreparedImage, signal: AbortSignal): Promise<void> {
    const { runtime, logs, clock } = this;
    const { region } = this.world.place;
    const definition = this.definitionOf(record);
    const log = logStreamOf(definition, record.id);
    if (log !== undefined) logs.open(log.group, log.stream, record.id, clock.now());
    if (record.faults.intruder === 'before') await this.throwIntruderOut(record);
    signal.throwIfAborted();
    record.containerStarted = true;
    this.tasks.saveQuietly(record);
    if (!this.withoutContainer(record)) {
      try {
        await runtime.start(taskSpec(record, definition, image, region));
      } catch (error) {
        await runtime.kill(record.id);
        record.containerStarted = false;
        const reason = `CannotStartContainerError: ${error instanceof Error ? error.message : String(error)}`;
        throw new StartFailure({ stopCode: 'TaskFailedToStart', reason, containerReason: reason });
      }
    }
    this.updateContainers(record, (container) => {
      container.lastStatus = 'RUNNING';
      container.runtimeId = `${record.id}-${randomBytes(4).readUInt32BE()}`;
      container.imageDigest = undefined;
    });
    this.transition(record, 'ACTIVATING');
  }

  /** RUNNING, until the container ends. */
  private async watch(record: TaskRecord, signal: AbortSignal): Promise<void> {
    const { runtime, clock } = this;
    if (record.task.lastStatus !== 'RUNNING') {
      record.task.startedAt = clock.now();
      this.transition(record, 'RUNNING');
    }
    if (record.faults.diesAfter !== undefined) this.killAfter(record, record.faults.diesAfter, signal);
    if (this.withoutContainer(record)) {
      await new Promise<never>((_, reject) => {
        const stopped = (): void => reject(signal.reason as Error);
        if (signal.aborted) stopped();
        signal.addEventListener('abort', stopped, { once: true });
      });
      return;
    }
    this.ended(record, await runtime.wait(record.id, signal));
  }

  private killAfter(record: TaskRecord, milliseconds: number, signal: AbortSignal): void {
    sleep(milliseconds, undefined, { signal })
      .then(() => this.runtime.kill(record.id))
      .catch((error: unknown) => {
        if (!signal.aborted) this.world.onFault(error);
      });
  }

  private ended(record: TaskRecord, exit: TaskExit): void {
    this.recordExit(record, exit);
    this.markStopping(record, { stopCode: 'EssentialContainerExited', reason: 'Essential container in task exited' });
  }

  /** From the wish to stop to the container's end and the interface's. */
  private async wind(record: TaskRecord, progress: Progress): Promise<void> {
    const { delays, runtime, logs, interfaces } = this;
    const containerRuns = record.containerStarted && this.containerOf(record)?.exitCode === undefined;
    if (containerRuns) {
      this.transition(record, 'DEACTIVATING');
      await delays.wait('deactivating', this.closing.signal);
      this.transition(record, 'STOPPING');
      if (this.withoutContainer(record)) this.recordExit(record, { exitCode: SIGTERM_EXIT, oomKilled: false });
      else await this.stopContainer(record);
    }
    await progress.intruder?.close();
    if (record.containerStarted) record.task.executionStoppedAt = this.clock.now();
    this.transition(record, 'DEPROVISIONING');
    await logs.complete(record.id);
    await runtime.remove(record.id);
    await delays.wait('deprovisioning', this.closing.signal);
    if (record.networkInterfaceId !== undefined) interfaces.delete(record.networkInterfaceId);
    if (record.address !== undefined) await runtime.releaseAddress(record.address);
  }

  private async stopContainer(record: TaskRecord): Promise<void> {
    const { runtime } = this;
    await runtime.stop(record.id, stopTimeoutOf(this.definitionOf(record)));
    this.recordExit(record, await runtime.wait(record.id, AbortSignal.timeout(10_000)));
  }

  private recordExit(record: TaskRecord, { exitCode, oomKilled }: TaskExit): void {
    this.updateContainers(record, (container) => {
      container.lastStatus = 'STOPPED';
      container.exitCode = exitCode;
      if (oomKilled) container.reason = 'OutOfMemoryError: Container killed due to memory usage';
    });
  }

  private markStopping(record: TaskRecord, { stopCode, reason, containerReason }: Ending): void {
    const { task } = record;
    if (task.desiredStatus === 'STOPPED') return;
    task.desiredStatus = 'STOPPED';
    task.stopCode = stopCode;
    task.stoppedReason = reason;
    task.stoppingAt = this.clock.now();
    if (containerReason !== undefined) {
      this.updateContainers(record, (container) => {
        container.reason = containerReason;
      });
    }
    this.tasks.save(record);
  }

  private finish(record: TaskRecord): void {
    for (const attachment of record.task.attachments ?? []) attachment.status = 'DELETED';
    this.updateContainers(record, (container) => {
      container.lastStatus = 'STOPPED';
    });
    record.task.stoppedAt = this.clock.now();
    this.transition(record, 'STOPPED');
  }

  private async letIntruderIn(record: TaskRecord): Promise<void> {
    const progress = this.progress.get(record.id);
    if (progress === undefined || record.address === undefined) return;
    progress.intruder = await Intruder.listen(record.address);
  }

  private async throwIntruderOut(record: TaskRecord): Promise<void> {
    const progress = this.progress.get(record.id);
    await progress?.intruder?.close();
    if (progress !== undefined) progress.intruder = undefined;
  }

  private withoutContainer({ faults }: TaskRecord): boolean {
    return faults.withoutContainer === true || faults.intruder === 'instead';
  }

  private definitionOf(record: TaskRecord): TaskDefinition {
    const entry = this.world.part(taskDefinitions).find(record.task.taskDefinitionArn ?? '');
    if (entry === undefined) throw new Error(`the task definition of task ${record.id} is gone`);
    return entry.definition;
  }

  private containerOf(record: TaskRecord): Container | undefined {
    return record.task.containers?.[0];
  }

  private updateContainers(record: TaskRecord, update: (container: Container) => void): void {
    record.task.containers?.forEach(update);
    this.tasks.saveQuietly(record);
  }

  private transition(record: TaskRecord, status: string): void {
    record.task.lastStatus = status;
    this.tasks.save(record);
    this.world.events.emit('taskStatus', { taskArn: record.task.taskArn ?? '', taskId: record.id, status });
  }
}
