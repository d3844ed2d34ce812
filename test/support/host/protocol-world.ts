import type { ECSClient, TagResourceCommandInput, Task } from '@aws-sdk/client-ecs';
import { AGENT_TASK_TIMEOUT } from '../../../lib/contract/agent-task-timeout';
import { isMngrFargateError } from '../../../lib/contract/errors';
import { newHostId, startedByOf } from '../../../lib/contract/host-name';
import { providerConfigSchema } from '../../../lib/contract/provider-config';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { EcsClient, LAUNCHER_SHARE, REAPER_SHARE } from '../../../lib/aws/ecs-client';
import { bootEnvironment, checkRequest } from '../../../lib/hosts/model/create-request';
import { renameHost } from '../../../lib/hosts/lifecycle/rename-and-tag';
import { Launcher } from '../../../lib/hosts/ecs/launch';
import type { NameIndex } from '../../../lib/hosts/ecs/name-index';
import { reap } from '../../../lib/hosts/reaping/reap';
import { defaultRules } from '../../../lib/hosts/reaping/rules';
import type { Services } from '../../../lib/hosts/services';
import { isLive, nameOf, tagsOf, olderTaskFirst } from '../../../lib/hosts/model/task-view';
import { Tasks } from '../../../lib/hosts/ecs/tasks';
import { SimulatedEcs } from '../endpoint/simulated-ecs';
import type { Command } from '../endpoint/simulated-ecs';

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const PROVIDER = 'fargate';
const CONFIG = providerConfigSchema.parse({ subnets: ['subnet-1'] });
const ENVIRONMENT = CONFIG.task_definition;
/** The SDK's own attempts, and how long it waits for all of them. */
const ATTEMPTS = 3;
const CALL_TIMEOUT = MINUTE;
/** A create's default `timeout`. */
const CREATE_TIMEOUT = 10 * MINUTE;
const REAPER_INTERVAL = 5 * MINUTE;
const LEASE = 10 * MINUTE;
const STACK_TIMEOUT = AGENT_TASK_TIMEOUT.max * SECOND;
const READY_TIMEOUT = 60 * MINUTE;
const EXPIRY_GRACE = 5 * MINUTE;
const BOOT = 31 * SECOND;
const FRAMEWORK_INTERVAL = 5 * SECOND;
/** A host that somebody counts on is used at least so often. */
const USED_EVERY = 30 * MINUTE;
/** For the run itself, whose calls take a little of the simulated time. */
const SLACK = 5 * MINUTE;

interface Actor {
  readonly kind: 'launcher' | 'reaper' | 'user' | 'stack';
  readonly startedAt: number;
  readonly deadline: AbortController;
  alive: boolean;
  /** ARNs of tasks that nobody counted on when the actor last looked at them. */
  readonly seenUseless: Set<string>;
}

interface Pending {
  readonly actor: Actor;
  /** When it is given up, unless it has been answered. */
  readonly until: number;
  /** When a pause is over; undefined for a call. */
  readonly wakesAt: number | undefined;
  /** Undefined while it can't be answered yet. */
  readonly answer: () => (() => object) | undefined;
  readonly resolve: (answer: object) => void;
  readonly reject: (error: unknown) => void;
  attempts: number;
}

/** What is true of a task, whatever its tags say. */
interface Truth {
  readonly actor: Actor;
  /** Given to somebody who counts on it: a create that returned, or a stack's. */
  owned: boolean;
  /** End of its age limit by ECS's clock. */
  end: number | undefined;
  /** Whether its own watchdog ends it at its age limit. */
  readonly watched: boolean;
  /** Since when its ready tag is still to be written by its next use. */
  unlabelledSince: number | undefined;
}

const error = (name: string): Error => Object.assign(new Error(name), { name });

/**
 * Launchers, users, a stack and reapers at work on one simulated ECS. Their code is the real one, but for SSH; every call
 * that they make waits here until the schedule answers it, loses its answer, fails it, or ends who made it.
 */
export class ProtocolWorld {
  readonly ecs = new SimulatedEcs();
  /** What must never happen, and did. */
  readonly violations: string[] = [];
  private readonly truths = new Map<string, Truth>();
  private pending: Pending[] = [];
  private readonly actors: Actor[] = [];

  /** A launcher creates a host: the calls of `createHost`, in its order. */
  create(name: string, options: { maxAge?: number; skew: number; watched: boolean; lateTag: boolean }): void {
    const actor = this.actor('launcher');
    void this.creation(actor, name, options).catch(() => undefined);
  }

  rename(from: string, to: string): void {
    const services = this.servicesOf(this.actor('user'));
    void renameHost(services, from, to).catch(() => undefined);
  }

  destroy(name: string): void {
    const { tasks } = this.servicesOf(this.actor('user'));
    void (async () => {
      const found = (await tasks.named({ provider: PROVIDER, name, environment: ENVIRONMENT }, 'RUNNING')).filter(
        (task) => nameOf(task) === name,
      );
      for (const task of found.slice(0, 1)) await tasks.stop(task.taskArn ?? '', 'destroyed');
    })().catch(() => undefined);
  }

  /** Somebody gives a host more time: its tag is changed in place. */
  extend(name: string, maxAge: number): void {
    for (const { task } of this.ecs.live()) {
      const truth = this.truths.get(task.taskArn ?? '');
      const tags = tagsOf(task);
      if (nameOf(task) !== name || truth?.end === undefined || !truth.owned) continue;
      const until = Date.parse(tags[HOST_TAGS.createdAt] ?? '') + maxAge;
      this.tag(task, HOST_TAGS.expiresAt, new Date(until).toISOString());
      truth.end = (task.createdAt?.getTime() ?? 0) + maxAge;
    }
  }

  /**
   * CloudFormation replaces its `AgentTask`: the new host first, the old one some time later. It may never hear of the new
   * one, when the function dies before it answers.
   */
  replaceInStack(name: string, heardOf: boolean): void {
    const actor = this.actor('stack');
    const { tasks, launcher } = this.servicesOf(actor);
    void (async () => {
      const old = this.ecs.live().filter(({ task }) => this.truths.get(task.taskArn ?? '')?.actor.kind === 'stack');
      const request = checkRequest({ name }, CONFIG);
      const ownerTags = { [HOST_TAGS.stackId]: 'stack', [HOST_TAGS.stackResource]: 'Reviewer' };
      const identity = { ...this.identity(name, 0, 0), ownerTags };
      const arn = await launcher.launchOnce(request, identity, newHostId());
      if (!heardOf) return;
      // From now on CloudFormation knows of it, and whoever has the private key logs in.
      Object.assign(this.truths.get(arn) ?? {}, { owned: true });
      Object.assign(this.ecs.tasks.get(arn) ?? {}, { loggedIn: true });
      await this.untilDone(tasks, () => tasks.tag(arn, { [HOST_TAGS.readyAt]: new Date(this.ecs.now).toISOString() }));
      for (const { task } of old) await tasks.stop(task.taskArn ?? '', 'replaced');
    })()
      .catch(() => undefined)
      .finally(() => (actor.alive = false));
  }

  /** As the provider framework does with what fails: again, after a pause. */
  private async untilDone(tasks: Tasks, work: () => Promise<unknown>): Promise<void> {
    for (;;) {
      const done = await work().then(
        () => true,
        () => false,
      );
      if (done) return;
      await tasks.pause(FRAMEWORK_INTERVAL, 'trying again');
    }
  }

  reap(): Promise<unknown> {
    const actor = this.actor('reaper');
    const tasks = this.inSimulatedTime(new Tasks(new EcsClient(this.sdkOf(actor), REAPER_SHARE), 'mngr'), actor);
    return reap(tasks, {
      rules: defaultRules('mngr-task'),
      place: { region: 'us-east-1', publicIp: false },
      tell: () => undefined,
    });
  }

  /** One waiting call is answered, or its answer is lost, or it fails before it takes effect. */
  async step(choice: number, how: 'answer' | 'lose' | 'fail'): Promise<void> {
    const ready = this.pending.filter(({ answer }) => answer() !== undefined);
    const call = ready[choice % Math.max(1, ready.length)];
    if (call === undefined) return;
    this.settle(call, how);
    await flush();
  }

  /** So many calls are answered, and time passes for boots where none can be. */
  async progress(calls: number): Promise<void> {
    for (let made = 0; made < calls; made += 1) {
      await flush();
      if (!this.pending.some(({ answer }) => answer() !== undefined)) await this.pass(BOOT);
      await this.step(made, 'answer');
    }
  }

  /** An actor ends: its calls that are under way take effect or don't. */
  async crash(choice: number, effective: boolean): Promise<void> {
    const mortal = this.actors.filter(({ alive, kind }) => alive && kind !== 'stack');
    const victim = mortal[choice % Math.max(1, mortal.length)];
    if (victim === undefined) return;
    for (const call of this.pending.filter(({ actor }) => actor === victim)) {
      if (effective) attempt(() => call.answer()?.());
    }
    victim.alive = false;
    this.pending = this.pending.filter(({ actor }) => actor !== victim);
    await flush();
  }

  /** Time passes: boots, leases, watchdogs, deadlines, and calls that took too long. */
  async pass(milliseconds: number): Promise<void> {
    this.ecs.advance(milliseconds);
    const { now } = this.ecs;
    for (const { task } of this.ecs.live()) {
      const truth = this.truths.get(task.taskArn ?? '');
      if (truth?.watched === true && truth.end !== undefined && now > truth.end) this.answerNow('StopTask', task);
    }
    this.useHosts(USED_EVERY);
    for (const actor of this.actors) {
      if (actor.kind === 'launcher' && now - actor.startedAt > CREATE_TIMEOUT) actor.deadline.abort();
    }
    const late = this.pending.filter(({ until, answer }) => answer() !== undefined && now > until);
    for (const call of late) {
      call.attempts = ATTEMPTS;
      this.settle(call, 'fail');
    }
    await flush();
  }

  /** Everybody gets their answers until nobody waits for one or for the end of a pause. */
  async calm(): Promise<void> {
    await flush();
    for (;;) {
      if (this.pending.some(({ answer }) => answer() !== undefined)) await this.step(0, 'answer');
      else {
        const wakesAt = Math.min(...this.pending.map((call) => call.wakesAt ?? Infinity));
        if (wakesAt === Infinity) return;
        await this.pass(wakesAt - this.ecs.now);
      }
    }
  }

  /** Time passes with prompt answers, used hosts being used, and a reaper at its interval. */
  async passQuietly(milliseconds: number, withReaper: boolean): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += REAPER_INTERVAL) {
      await this.pass(REAPER_INTERVAL);
      this.useHosts(0);
      if (withReaper) void this.reap();
      await this.calm();
    }
  }

  /** Nothing more is done by anybody: what is to be gone must go, and the rest must stay. */
  async settleDown(): Promise<string[]> {
    await this.calm();
    await this.passQuietly(CREATE_TIMEOUT + REAPER_INTERVAL, true);
    const owned = this.ecs.live().filter(({ task }) => this.isHealthy(task));
    await this.passQuietly(Math.max(LEASE, STACK_TIMEOUT) + READY_TIMEOUT + 2 * REAPER_INTERVAL, true);
    for (const { task } of owned) {
      if (!isLive(task) && this.wouldBeHealthy(task)) this.violations.push(`${task.taskArn} was lost`);
    }
    for (const { task } of this.ecs.live()) this.checkNoOrphan(task);
    return this.violations;
  }

  private async creation(
    actor: Actor,
    name: string,
    options: { maxAge?: number; skew: number; watched: boolean; lateTag: boolean },
  ): Promise<void> {
    const { signal } = actor.deadline;
    const { tasks, launcher } = this.servicesOf(actor);
    const request = checkRequest(
      { name, maxAge: options.maxAge === undefined ? undefined : options.maxAge / SECOND },
      CONFIG,
    );
    const identity = this.identity(name, options.skew);
    let arn: string | undefined;
    let launched = false;
    try {
      await launcher.refuseTaken(PROVIDER, name, signal);
      signal.throwIfAborted();
      const task = await launcher.launch(request, identity, { onSent: () => (launched = true), signal });
      arn = task.taskArn ?? '';
      const { watched } = options;
      this.truths.set(arn, {
        actor,
        owned: false,
        end: endOf(task, options.maxAge),
        watched,
        unlabelledSince: undefined,
      });
      await this.login(actor, arn);
      await launcher.refuseSecond(PROVIDER, name, task, signal);
      signal.throwIfAborted();
      const tagging = tasks.tag(arn, { [HOST_TAGS.readyAt]: new Date(this.ecs.now + options.skew).toISOString() });
      // The launcher doesn't wait long for the tag; whoever uses the host later writes it again.
      if (options.lateTag)
        tagging.catch(() => Object.assign(this.truths.get(arn ?? '') ?? {}, { unlabelledSince: this.ecs.now }));
      else await tagging;
      Object.assign(this.truths.get(arn) ?? {}, { owned: true });
    } catch (problem) {
      const lost = arn === undefined && launched && isAmbiguous(problem);
      const mine = async (): Promise<string[]> =>
        (await tasks.named({ provider: PROVIDER, name, environment: ENVIRONMENT }, 'RUNNING'))
          .filter((task) => tagsOf(task)[HOST_TAGS.hostId] === identity.hostId)
          .map((task) => task.taskArn ?? '');
      for (const each of arn !== undefined ? [arn] : lost ? await mine() : []) await tasks.stop(each, 'create failed');
    } finally {
      actor.alive = false;
    }
  }

  private identity(name: string, skew: number, bootLeaseSeconds?: number) {
    const hostId = newHostId();
    const request = checkRequest({ name, bootLeaseSeconds }, CONFIG);
    return {
      hostId,
      provider: PROVIDER,
      createdAt: new Date(this.ecs.now + skew),
      environment: bootEnvironment(request, { hostId, provider: PROVIDER, publicKey: 'key', nonce: 'nonce' }),
      taskDefinition: 'mngr-task',
    };
  }

  private actor(kind: Actor['kind']): Actor {
    const actor = {
      kind,
      startedAt: this.ecs.now,
      deadline: new AbortController(),
      alive: true,
      seenUseless: new Set<string>(),
    };
    this.actors.push(actor);
    return actor;
  }

  private sdkOf(actor: Actor): { readonly ecs: ECSClient } {
    const send = (command: Command): Promise<object> =>
      this.turn(actor, () => () => {
        if (command.constructor.name === 'StopTaskCommand') this.checkStop(actor, command);
        const answer = this.ecs.answer(command);
        if (command.constructor.name === 'RunTaskCommand') this.noteLaunch(actor, answer as { tasks: Task[] });
        if (command.constructor.name === 'DescribeTasksCommand') this.noteLook(actor, answer as { tasks: Task[] });
        if (command.constructor.name === 'TagResourceCommand') this.noteReady(command);
        return answer;
      });
    return { ecs: { send, config: {} } } as unknown as { readonly ecs: ECSClient };
  }

  private servicesOf(actor: Actor): Services {
    const ecs = new EcsClient(this.sdkOf(actor), LAUNCHER_SHARE);
    const tasks = this.inSimulatedTime(new Tasks(ecs, CONFIG.ecs_cluster), actor);
    // Without its gathering, which is by the machine's clock.
    const names = {
      liveArns: (provider: string, name: string) => tasks.liveArnsStartedBy(startedByOf(provider, name)),
      remember: () => undefined,
    } as unknown as NameIndex;
    const keys = { records: async () => [], record: async () => undefined, files: async () => ({}) };
    const interfaces = { findAll: async () => new Map() };
    const launcher = new Launcher(ecs, tasks, names, CONFIG);
    return {
      config: CONFIG,
      provider: PROVIDER,
      tasks,
      names,
      launcher,
      keys,
      interfaces,
    } as unknown as Services;
  }

  private inSimulatedTime(tasks: Tasks, actor: Actor): Tasks {
    tasks.now = () => this.ecs.now;
    tasks.pause = async (milliseconds) => {
      const until = this.ecs.now + milliseconds;
      await this.turn(actor, () => (this.ecs.now < until ? undefined : () => ({})), Infinity, until);
    };
    return tasks;
  }

  /** Waits for the schedule. */
  private turn(
    actor: Actor,
    answer: Pending['answer'],
    patience = CALL_TIMEOUT,
    wakesAt: number | undefined = undefined,
  ): Promise<object> {
    return new Promise((resolve, reject) => {
      const until = this.ecs.now + patience;
      this.pending.push({ actor, until, wakesAt, answer, resolve, reject, attempts: 1 });
    });
  }

  /** The first login: as soon as sshd answers; rejected when the task has ended or the create's time is over. */
  private login(actor: Actor, arn: string): Promise<object> {
    return this.turn(
      actor,
      () => {
        const found = this.ecs.tasks.get(arn);
        const hopeless = found === undefined || !isLive(found.task) || actor.deadline.signal.aborted;
        if (!hopeless && found.task.startedAt === undefined) return undefined;
        return () => {
          if (hopeless) throw error('TaskStopped');
          found.loggedIn = true;
          return {};
        };
      },
      CREATE_TIMEOUT,
    );
  }

  private settle(call: Pending, how: 'answer' | 'lose' | 'fail'): void {
    const effect = call.answer();
    if (effect === undefined) return;
    // A pause ends, whatever becomes of calls.
    if (call.wakesAt !== undefined) how = 'answer';
    if (how !== 'answer' && call.attempts < ATTEMPTS) {
      if (how === 'lose') attempt(effect);
      call.attempts += 1;
      return;
    }
    this.pending = this.pending.filter((other) => other !== call);
    if (how !== 'answer') {
      if (how === 'lose') attempt(effect);
      call.reject(error('TimeoutError'));
      return;
    }
    try {
      call.resolve(effect());
    } catch (problem) {
      call.reject(problem);
    }
  }

  private noteLaunch(actor: Actor, { tasks: [task] }: { readonly tasks: Task[] }): void {
    const arn = task?.taskArn ?? '';
    if (this.truths.has(arn)) return;
    this.truths.set(arn, { actor, owned: false, end: undefined, watched: false, unlabelledSince: undefined });
  }

  /** A ready host is one that others find and use, even if its launcher dies before it hears so. */
  private noteReady({ input }: Command): void {
    const { resourceArn = '', tags = [] } = input as TagResourceCommandInput;
    const truth = this.truths.get(resourceArn);
    if (truth !== undefined && tags.some(({ key }) => key === HOST_TAGS.readyAt)) truth.owned = true;
  }

  private noteLook({ seenUseless }: Actor, { tasks }: { readonly tasks: Task[] }): void {
    for (const { taskArn = '' } of tasks) {
      const task = this.ecs.tasks.get(taskArn)?.task;
      if (task === undefined || this.isHealthy(task)) seenUseless.delete(taskArn);
      else seenUseless.add(taskArn);
    }
  }

  /**
   * The one thing that a reaper must never do. What changes between its last look and the stop, which ECS can't make one
   * step, is beyond it: somebody destroys the older of two namesakes, or gives a host more time.
   */
  private checkStop(actor: Actor, { input }: Command): void {
    const found = this.ecs.tasks.get((input as { task?: string }).task ?? '');
    if (actor.kind !== 'reaper' || found === undefined || !isLive(found.task)) return;
    if (this.isHealthy(found.task) && !actor.seenUseless.has(found.task.taskArn ?? '')) {
      this.violations.push(`a reaper stopped ${found.task.taskArn}: ${JSON.stringify(input)}`);
    }
  }

  /** True for a host that somebody counts on, or that a living launcher still works on. */
  private isHealthy(task: Task): boolean {
    return isLive(task) && this.wouldBeHealthy(task);
  }

  private wouldBeHealthy(task: Task): boolean {
    const truth = this.truths.get(task.taskArn ?? '');
    if (truth === undefined || (!truth.owned && !truth.actor.alive)) return false;
    return (truth.end === undefined || this.ecs.now <= truth.end) && !this.isSecondOfItsName(task);
  }

  /** Launched under a name that an older host was launched under and has. */
  private isSecondOfItsName(task: Task): boolean {
    const name = nameOf(task);
    const asLaunched = (one: Task): boolean => one.startedBy === startedByOf(PROVIDER, nameOf(one));
    if (!asLaunched(task) || tagsOf(task)[HOST_TAGS.stackId] !== undefined) return false;
    return this.ecs
      .live()
      .some(
        ({ task: other }) =>
          other !== task &&
          nameOf(other) === name &&
          asLaunched(other) &&
          this.truths.get(other.taskArn ?? '')?.owned === true &&
          olderTaskFirst(other, task) < 0,
      );
  }

  private checkNoOrphan(task: Task): void {
    const truth = this.truths.get(task.taskArn ?? '');
    const told = (what: string): number => this.violations.push(`${task.taskArn} is left behind: ${what}`);
    if (truth === undefined || !truth.owned) {
      told('nobody counts on it');
    } else if (truth.end !== undefined && this.ecs.now > truth.end + EXPIRY_GRACE + REAPER_INTERVAL + SLACK) {
      told('its time is over');
    } else if (this.isSecondOfItsName(task) && !this.wasRenamedTo(nameOf(task))) {
      told('its name is an older host’s');
    }
  }

  /** Where a rename is involved nobody is stopped for a name, only reported. */
  private wasRenamedTo(name: string): boolean {
    return this.ecs.live().some(({ task }) => nameOf(task) === name && task.startedBy !== startedByOf(PROVIDER, name));
  }

  /** Whoever uses a host through the launcher writes a ready tag that is missing. */
  private useHosts(notFor: number): void {
    for (const { task } of this.ecs.live()) {
      const truth = this.truths.get(task.taskArn ?? '');
      if (truth?.unlabelledSince === undefined || this.ecs.now - truth.unlabelledSince < notFor) continue;
      this.tag(task, HOST_TAGS.readyAt, new Date(this.ecs.now).toISOString());
      truth.unlabelledSince = undefined;
    }
  }

  private tag(task: Task, key: string, value: string): void {
    this.ecs.answer({
      constructor: { name: 'TagResourceCommand' },
      input: { resourceArn: task.taskArn, tags: [{ key, value }] },
    });
  }

  private answerNow(operation: string, task: Task): void {
    this.ecs.answer({ constructor: { name: `${operation}Command` }, input: { task: task.taskArn } });
  }
}

const endOf = (task: Task, maxAge: number | undefined): number | undefined =>
  maxAge === undefined ? undefined : (task.createdAt?.getTime() ?? 0) + maxAge;

/** As in create.ts: errors after which RunTask may have started a task all the same. */
const isAmbiguous = (problem: unknown): boolean =>
  !isMngrFargateError(problem) || problem.code === 'unreachable' || problem.code === 'failed';

function attempt(effect: () => unknown): void {
  try {
    effect();
  } catch {
    // An answer that nobody hears.
  }
}

/** Lets everybody go on as far as they get without another answer. */
const flush = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
