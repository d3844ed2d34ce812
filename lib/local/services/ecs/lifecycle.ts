import { setTimeout as sleep } from 'node:timers/promises';
import type { Container, ContainerDefinition, TaskStopCode } from '@aws-sdk/client-ecs';
import type { Clock } from '../../state/clock';
import type { DelayPlan } from '../../control/delays';
import { Intruder } from '../../control/intruder';
import { network } from '../ec2/network';
import { networkInterfaces } from '../ec2/network-interfaces';
import type { NetworkInterfaces } from '../ec2/network-interfaces';
import { ImageUnavailableError } from '../../runtimes/runtime';
import type { PreparedImage, TaskRuntime } from '../../runtimes/runtime';
import { imageSourceOf } from '../../template/assembly';
import type { World } from '../../world';
import type { EcsArns } from './arns';
import { ipv6Of } from './ipv6-address';
import { privateAddress } from './private-address';
import { containerFailure, StartFailure } from './start-failure';
import type { Ending } from './start-failure';
import { TaskContainers } from './task-containers';
import type { TaskRecord } from './task-record';
import type { Tasks } from './tasks';

const SSH_PORT = 22;

/** The activity of one task. */
interface Progress {
  /** Fires when the task should stop; all its waits then end. */
  readonly stopping: AbortController;
  containers?: TaskContainers;
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
  private readonly interfaces: NetworkInterfaces;

  constructor(
    private readonly world: World,
    private readonly tasks: Tasks,
    private readonly arns: EcsArns,
  ) {
    this.runtime = world.runtime;
    this.clock = world.clock;
    this.delays = world.delays;
    this.interfaces = world.part(networkInterfaces);
  }

  /** Begins the life of a new task. */
  launch(record: TaskRecord): void {
    this.begin(record, (signal) => this.start(record, signal));
  }

  /** Continues a task that an earlier endpoint process started. `running`: one of its containers still runs. */
  resume(record: TaskRecord, running: boolean): void {
    if (record.synthetic === true || record.task.lastStatus === 'STOPPED') return;
    if (record.task.desiredStatus === 'STOPPED') {
      this.begin(record, () => Promise.resolve());
      this.progress.get(record.id)?.stopping.abort();
      return;
    }
    this.begin(record, async (signal) => {
      if (!record.containerStarted) await this.start(record, signal);
      else await this.goOn(record, running || this.withoutContainer(record), signal);
    });
  }

  /** Asks a task to stop; a task that is stopping or stopped isn't changed. */
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

  /** Releases every task without stopping it: another endpoint process can resume them. */
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
    // As on Fargate, before the first image is pulled.
    this.containersOf(record).checkResources();
    const images = await this.pull(record, signal);
    if (record.faults.stopWhilePending !== undefined) {
      throw new StartFailure({ stopCode: 'TaskFailedToStart', reason: record.faults.stopWhilePending });
    }
    if (record.faults.intruder === 'before') await this.throwIntruderOut(record);
    signal.throwIfAborted();
    await this.runContainers(record, images, signal);
  }

  /** Continues with containers that an earlier endpoint started. */
  private async goOn(record: TaskRecord, running: boolean, signal: AbortSignal): Promise<void> {
    const images = await this.containersOf(record).images((container) => this.prepare(container));
    if (running) await this.runContainers(record, images, signal);
    else {
      await this.containersOf(record).run(images, signal);
      this.ended(record);
    }
  }

  /** From the first container's start to the end of an essential one. */
  private async runContainers(
    record: TaskRecord,
    images: ReadonlyMap<string, PreparedImage>,
    signal: AbortSignal,
  ): Promise<void> {
    const containers = this.containersOf(record);
    const end = containers.run(images, signal);
    await Promise.race([containers.allStarted, end]);
    if (record.task.lastStatus !== 'RUNNING') {
      if (record.task.lastStatus !== 'ACTIVATING') this.transition(record, 'ACTIVATING');
      await Promise.race([this.delays.wait('activating', signal), end.then(() => new Promise<never>(() => undefined))]);
      record.task.startedAt = this.clock.now();
      this.transition(record, 'RUNNING');
    }
    if (record.faults.diesAfter !== undefined) this.killAfter(record, record.faults.diesAfter, signal);
    await end;
    this.ended(record);
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
      // Without a public address, the task is reached at the private one.
      privateIp: assignPublicIp ? privateAddress(subnet.cidr, record.sequence) : record.address.ip,
      publicIp: assignPublicIp ? record.address.ip : undefined,
      ipv6: subnet.ipv6Cidr === undefined ? undefined : ipv6Of(record.address.ip),
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
    // Set together with the address: a connection to port 22 in between would reach the machine's own sshd.
    const networkBindings =
      port === SSH_PORT ? [] : [{ bindIP: ip, containerPort: SSH_PORT, hostPort: port, protocol: 'tcp' as const }];
    this.updateContainers(record, (container) => {
      container.networkInterfaces = [
        { attachmentId: attachment?.id, privateIpv4Address: created.privateIp, ipv6Address: created.ipv6 },
      ];
      container.networkBindings = networkBindings;
    });
    record.task.connectivity = 'CONNECTED';
    record.task.connectivityAt = clock.now();
    this.transition(record, 'PENDING');
  }

  private async pull(record: TaskRecord, signal: AbortSignal): Promise<ReadonlyMap<string, PreparedImage>> {
    const { delays, clock } = this;
    record.task.pullStartedAt = clock.now();
    await delays.wait('pull', signal);
    if (record.faults.imagePull !== undefined) throw containerFailure(record.faults.imagePull, undefined);
    const images = await this.containersOf(record).images((container) => this.prepare(container));
    signal.throwIfAborted();
    record.task.pullStoppedAt = clock.now();
    this.tasks.saveQuietly(record);
    return images;
  }

  private async prepare({ name, image = '' }: ContainerDefinition): Promise<PreparedImage> {
    try {
      return await this.runtime.prepare(imageSourceOf(this.world.assembly.images, image));
    } catch (error) {
      if (error instanceof ImageUnavailableError) {
        throw containerFailure(`CannotPullContainerError: ${error.message}`, name);
      }
      throw error;
    }
  }

  private killAfter(record: TaskRecord, milliseconds: number, signal: AbortSignal): void {
    sleep(milliseconds, undefined, { signal })
      .then(() => this.containersOf(record).kill())
      .catch((error: unknown) => {
        if (!signal.aborted) this.world.onFault(error);
      });
  }

  private ended(record: TaskRecord): void {
    this.markStopping(record, { stopCode: 'EssentialContainerExited', reason: 'Essential container in task exited' });
  }

  /** From the decision to stop to the end of the containers and the interface. */
  private async wind(record: TaskRecord, progress: Progress): Promise<void> {
    const { delays, runtime, interfaces } = this;
    const containers = this.containersOf(record);
    if (containers.running) {
      this.transition(record, 'DEACTIVATING');
      await delays.wait('deactivating', this.closing.signal);
      this.transition(record, 'STOPPING');
      await containers.stop();
    }
    await progress.intruder?.close();
    if (record.containerStarted) record.task.executionStoppedAt = this.clock.now();
    this.transition(record, 'DEPROVISIONING');
    await containers.remove();
    await delays.wait('deprovisioning', this.closing.signal);
    if (record.networkInterfaceId !== undefined) interfaces.delete(record.networkInterfaceId);
    if (record.address !== undefined) await runtime.releaseAddress(record.address);
  }

  private markStopping(record: TaskRecord, { stopCode, reason, containerReason, container: blamed }: Ending): void {
    const { task } = record;
    if (task.desiredStatus === 'STOPPED') return;
    task.desiredStatus = 'STOPPED';
    task.stopCode = stopCode;
    task.stoppedReason = reason;
    task.stoppingAt = this.clock.now();
    if (containerReason !== undefined) {
      this.updateContainers(record, (container) => {
        if (blamed === undefined || blamed === container.name) container.reason = containerReason;
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

  private containersOf(record: TaskRecord): TaskContainers {
    const progress = this.progress.get(record.id);
    const containers =
      progress?.containers ??
      new TaskContainers(this.world, record, {
        changed: () => {
          this.tasks.saveQuietly(record);
          this.announce(record);
        },
      });
    if (progress !== undefined) progress.containers = containers;
    return containers;
  }

  private updateContainers(record: TaskRecord, update: (container: Container) => void): void {
    record.task.containers?.forEach(update);
    this.tasks.saveQuietly(record);
  }

  private transition(record: TaskRecord, status: string): void {
    record.task.lastStatus = status;
    this.tasks.save(record);
    this.announce(record);
  }

  private announce({ id, task }: TaskRecord): void {
    const { taskArn = '', lastStatus: status = '' } = task;
    this.world.events.emit('taskStatus', { taskArn, taskId: id, status });
  }
}
