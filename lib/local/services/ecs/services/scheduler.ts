import type { RunTaskRequest } from '@aws-sdk/client-ecs';
import { AwsError } from '../../../wire/aws-error';
import type { World } from '../../../world';
import type { EcsContext } from '../context';
import { newTask } from '../new-task';
import { validateRunTask } from '../run-task-request';
import type { TaskRecord } from '../task-record';
import { launchGroup } from '../throttles';
import { planOf } from './plan';
import { groupOf, keyOf, primaryOf, serviceOfGroup } from './record';
import type { ServiceDeployment, ServiceRecord } from './record';
import { limitsOf } from './request';
import { Restarts } from './restarts';
import { tasksOf } from './view';

/** The number of tasks in a row that end early after which ECS says that a service can't start its tasks. */
const INCONSISTENT_AFTER = 3;
const STEADY = 'has reached a steady state.';
/** Milliseconds until a service tries again to place a task for which there was no capacity. */
const CAPACITY_PAUSE = 5000;
/** ECS developer guide, "How the Amazon ECS deployment circuit breaker detects failures". */
const MIN_FAILURES = 3;
const MAX_FAILURES = 200;

const idOf = (taskArn: string | undefined): string => taskArn?.split('/').at(-1) ?? '';
const named = (records: readonly { readonly taskArn?: string }[]): string =>
  records.map(({ taskArn }) => `(task ${idOf(taskArn)})`).join(' ');

/** Keeps every service at its desired count, deployment by deployment. Checks whenever one of its tasks changes. */
export class ServiceScheduler {
  private readonly restarts = new Restarts();
  private readonly due = new Set<string>();
  private readonly timers = new Map<string, NodeJS.Timeout>();
  /** Tasks whose end has already been noted. */
  private readonly ended = new Set<string>();
  private closed = false;

  constructor(
    private readonly world: World,
    private readonly ecs: EcsContext,
  ) {}

  start(): void {
    this.world.events.on('taskStatus', this.onTaskStatus);
    for (const record of this.ecs.services.all()) this.look(record);
  }

  close(): void {
    this.closed = true;
    this.world.events.off('taskStatus', this.onTaskStatus);
    for (const timer of this.timers.values()) clearTimeout(timer);
  }

  /** A call has changed the service: earlier failures no longer count. */
  changed(record: ServiceRecord): void {
    this.restarts.forget(keyOf(record));
    this.look(record);
  }

  private readonly onTaskStatus = ({
    taskArn,
    taskId,
  }: {
    readonly taskArn: string;
    readonly taskId: string;
  }): void => {
    const cluster = taskArn.split('/')[1] ?? '';
    const record = this.ecs.tasks.get(cluster, taskId);
    const name = serviceOfGroup(record?.task.group);
    const service = name === undefined ? undefined : this.ecs.services.find(cluster, name);
    if (record === undefined || service === undefined) return;
    this.note(service, record);
    this.look(service);
  };

  /** Updates a deployment after a change of one of its tasks. */
  private note(service: ServiceRecord, { id, task }: TaskRecord): void {
    const deployment = service.deployments.find((candidate) => candidate.id === task.startedBy);
    if (task.lastStatus === 'RUNNING' && task.desiredStatus === 'RUNNING' && deployment !== undefined) {
      deployment.failedTasks = 0;
      this.ecs.services.save(service);
    }
    if (task.desiredStatus !== 'STOPPED') return;
    const first = !this.ended.has(id);
    if (task.lastStatus === 'STOPPED') this.ended.delete(id);
    else this.ended.add(id);
    if (!first || task.stopCode === 'UserInitiated' || task.stopCode === 'ServiceSchedulerInitiated') return;
    if (task.startedAt === undefined && deployment !== undefined) this.noteFailure(service, deployment);
    if (this.restarts.noteEnd(keyOf(service), task) === INCONSISTENT_AFTER) {
      this.ecs.services.note(
        service,
        'is unable to consistently start tasks successfully. For more information, see the Troubleshooting section of the Amazon ECS Developer Guide.',
      );
    }
  }

  private noteFailure(service: ServiceRecord, deployment: ServiceDeployment): void {
    const { services, clock } = this.ecs;
    deployment.failedTasks += 1;
    const { enable, rollback } = service.deploymentConfiguration.deploymentCircuitBreaker ?? {};
    const limit = Math.max(MIN_FAILURES, Math.min(MAX_FAILURES, Math.ceil(service.desiredCount / 2)));
    if (enable === true && deployment.failedTasks >= limit && deployment.rolloutState === 'IN_PROGRESS') {
      deployment.rolloutState = 'FAILED';
      deployment.rolloutStateReason = 'ECS deployment circuit breaker: tasks failed to start.';
      deployment.updatedAt = clock.now();
      services.note(service, `(deployment ${deployment.id}) deployment failed: tasks failed to start.`);
      if (rollback === true) this.rollBack(service);
    }
    services.save(service);
  }

  private rollBack(service: ServiceRecord): void {
    const { services } = this.ecs;
    const good = service.deployments.find(({ rolloutState }) => rolloutState === 'COMPLETED');
    if (good === undefined) return;
    services.note(service, `rolling back to deployment ${good.id}.`);
    const deployment = services.newDeployment(good.taskDefinition, good);
    deployment.rolloutStateReason = `ECS deployment circuit breaker: rolling back to deploymentId ${good.id}.`;
    service.deployments = [deployment, ...service.deployments];
    this.restarts.forget(keyOf(service));
  }

  /** Checks a service soon, once for all changes that come together. */
  private look(record: ServiceRecord): void {
    const key = keyOf(record);
    if (this.closed || this.due.has(key)) return;
    this.due.add(key);
    queueMicrotask(() => {
      this.due.delete(key);
      if (this.closed) return;
      try {
        this.reconcile(record);
      } catch (error) {
        this.world.onFault(error);
      }
    });
  }

  private lookIn(record: ServiceRecord, milliseconds: number): void {
    const key = keyOf(record);
    clearTimeout(this.timers.get(key));
    this.timers.set(key, setTimeout(() => this.look(record), milliseconds).unref());
  }

  private reconcile(service: ServiceRecord): void {
    if (service.status === 'INACTIVE') return;
    const primary = primaryOf(service);
    this.stopUnhealthy(service);
    const live = tasksOf(this.ecs, service).filter(({ desiredStatus }) => desiredStatus === 'RUNNING');
    const { desiredCount } = service;
    const plan = planOf({
      ...limitsOf(service.deploymentConfiguration),
      live,
      primary: primary.id,
      desiredCount,
    });
    this.stop(
      service,
      plan.stop.map(({ taskArn }) => idOf(taskArn)),
    );
    if (plan.start > 0 && primary.rolloutState !== 'FAILED') this.launch(service, primary, plan.start);
    this.conclude(service, primary);
  }

  private stopUnhealthy(service: ServiceRecord): void {
    const { tasks, services, lifecycle } = this.ecs;
    const ill = tasksOf(this.ecs, service).filter(
      ({ healthStatus, desiredStatus }) => healthStatus === 'UNHEALTHY' && desiredStatus === 'RUNNING',
    );
    for (const task of ill) {
      services.note(service, `(task ${idOf(task.taskArn)}) failed container health checks.`);
      const record = tasks.get(service.cluster, idOf(task.taskArn));
      if (record !== undefined) {
        lifecycle.stop(record, 'ServiceSchedulerInitiated', 'Task failed container health checks');
      }
    }
  }

  private stop(service: ServiceRecord, ids: readonly string[]): void {
    if (ids.length === 0) return;
    const { tasks, services, lifecycle } = this.ecs;
    const reason = `Scaling activity initiated by (deployment ${primaryOf(service).id})`;
    const stopped = ids.map((id) => tasks.get(service.cluster, id)).filter((record) => record !== undefined);
    services.note(service, `has stopped ${stopped.length} running tasks: ${named(stopped.map(({ task }) => task))}.`);
    for (const record of stopped) lifecycle.stop(record, 'ServiceSchedulerInitiated', reason);
  }

  private launch(service: ServiceRecord, deployment: ServiceDeployment, count: number): void {
    const pause = this.restarts.pause(keyOf(service));
    if (pause > 0) {
      this.lookIn(service, pause);
      return;
    }
    const { clusters, definitions, network, tasks, services, lifecycle, faults, throttles } = this.ecs;
    const cluster = clusters.get(service.cluster);
    const entry = definitions.find(deployment.taskDefinition);
    if (entry === undefined) throw new Error(`the task definition ${deployment.taskDefinition} is gone`);
    const request = taskRequest(service, deployment);
    const validated = this.validated(service, () => validateRunTask(request, entry.definition, cluster, network));
    if (validated === undefined) return;
    const records: TaskRecord[] = [];
    for (let index = 0; index < count; index += 1) {
      const reason = throttles.take(launchGroup(validated.capacityProvider ?? 'FARGATE'), 1)
        ? faults.takeCapacityFailure()
        : 'Rate exceeded';
      if (reason !== undefined) {
        services.note(service, `was unable to place a task. Reason: ${reason}.`);
        this.lookIn(service, CAPACITY_PAUSE);
        break;
      }
      const order = { request: { ...request, group: groupOf(service.name) }, cluster, entry, validated };
      records.push(newTask(this.ecs, order, index));
    }
    if (records.length === 0) return;
    for (const record of records) tasks.save(record);
    services.note(service, `has started ${records.length} tasks: ${named(records.map(({ task }) => task))}.`);
    for (const record of records) lifecycle.launch(record);
  }

  /** Settings that were valid when the service was created may no longer be, for example if a subnet is gone. */
  private validated<T>(service: ServiceRecord, validate: () => T): T | undefined {
    try {
      return validate();
    } catch (error) {
      if (!(error instanceof AwsError)) throw error;
      this.ecs.services.note(service, `was unable to place a task. Reason: ${error.message}`);
      return undefined;
    }
  }

  /** Notes what has been reached: a deployment is complete, or a service is gone. */
  private conclude(service: ServiceRecord, primary: ServiceDeployment): void {
    const { services, clock } = this.ecs;
    const present = tasksOf(this.ecs, service).filter(({ lastStatus }) => lastStatus !== 'STOPPED');
    if (service.status === 'DRAINING') {
      if (present.length > 0) return;
      service.status = 'INACTIVE';
      services.save(service);
      return;
    }
    const steady =
      present.length === service.desiredCount &&
      present.every(
        ({ startedBy, lastStatus, desiredStatus }) =>
          startedBy === primary.id && lastStatus === 'RUNNING' && desiredStatus === 'RUNNING',
      );
    if (!steady) return;
    if (primary.rolloutState === 'IN_PROGRESS') {
      service.deployments = [primary];
      primary.rolloutState = 'COMPLETED';
      primary.rolloutStateReason = `ECS deployment ${primary.id} completed.`;
      primary.updatedAt = clock.now();
      services.note(service, `(deployment ${primary.id}) deployment completed.`);
    }
    if (service.events[0]?.message?.endsWith(STEADY) !== true) services.note(service, STEADY);
  }
}

/** The RunTask that a service makes for its tasks; the group, which callers of RunTask may not name, is added later. */
const taskRequest = (service: ServiceRecord, deployment: ServiceDeployment): RunTaskRequest => ({
  cluster: service.cluster,
  taskDefinition: deployment.taskDefinition,
  launchType: deployment.launchType,
  capacityProviderStrategy: deployment.capacityProviderStrategy,
  platformVersion: deployment.platformVersion,
  networkConfiguration: deployment.networkConfiguration,
  enableExecuteCommand: service.enableExecuteCommand,
  enableECSManagedTags: service.enableECSManagedTags,
  propagateTags: service.propagateTags === 'TASK_DEFINITION' ? 'TASK_DEFINITION' : undefined,
  tags: service.propagateTags === 'SERVICE' ? service.tags : undefined,
  startedBy: deployment.id,
});
