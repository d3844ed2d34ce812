import { randomBytes } from 'node:crypto';
import type { Task } from '@aws-sdk/client-ecs';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { newHostId } from '../../contract/host-name';
import { STOP_REASON_PREFIXES } from '../../contract/stop-reasons';
import { HOST_TAGS } from '../../contract/tags';
import { clusterNameOf } from '../../contract/task-arn';
import { generateKeyPair } from '../../ssh';
import { throwIfAborted } from '../../util/abort';
import type { Background } from '../../util/background';
import { bootEnvironment, checkRequest } from '../model/create-request';
import type { CheckedRequest } from '../model/create-request';
import { recordedTasks } from './find';
import { VISIBLE_AFTER_MS } from '../ecs/visibility';
import { watchStart } from '../agents/start';
import { finishHost } from '../remote/finish';
import { scriptRunner } from '../remote/message';
import type { HostRecord } from '../remote/key-store';
import { alreadyExists } from '../ecs/launch';
import { reachNewHost } from '../remote/reach';
import { launchName } from '../services';
import type { Services } from '../services';
import { hostOf, isLiveHost, stateOf, tagsOf } from '../model/task-view';
import type { CreateHostRequest, CreateOptions, CreateStep, CreatedHost, Host } from '../model/types';

/** How long, in milliseconds, a failed create tries to stop its task, even if the caller has aborted. */
const CLEAN_UP = 60_000;
/** Milliseconds between two attempts to stop a task. */
const STOP_INTERVAL_MS = 500;
/** Milliseconds between two looks for a task that ListTasks doesn't show yet. */
const LIST_INTERVAL_MS = 1_000;

export interface CreateContext {
  readonly services: Services;
  readonly background: Background;
  /** Keeps the channel for the next use of the host. */
  readonly keepChannel: (hostId: string, channel: HostChannel) => void;
}

/**
 * Starts a host and makes it ready. If anything fails after RunTask, or the signal fires, the task is stopped and the local
 * keys are removed before this throws.
 */
export async function createHost(
  context: CreateContext,
  request: CreateHostRequest,
  options: CreateOptions = {},
): Promise<CreatedHost> {
  const { services } = context;
  const checked = checkRequest(request, services.config);
  const deadline = AbortSignal.timeout(Math.min(checked.timeout * 1000, 2 ** 31 - 1));
  const signal = options.signal === undefined ? deadline : AbortSignal.any([options.signal, deadline]);
  try {
    return await new Creation(context, checked, options, signal).run();
  } catch (error) {
    if (!isMngrFargateError(error) || error.code !== 'aborted') throw error;
    if (options.signal?.aborted || !deadline.aborted) throw error;
    throw new MngrFargateError(
      'timed-out',
      `host ${checked.name} was not ready within ${checked.timeout} s; its task was stopped`,
      {
        cause: error,
        hint: 'check that this machine may reach the host’s SSH port (context key `sshCidr`), or give a longer `--timeout`',
      },
    );
  }
}

class Creation {
  private readonly started = performance.now();
  private readonly hostId = newHostId();
  /** By AWS's clock; milliseconds since 1970. */
  private createdAt: number;
  private task: Task | undefined;
  /** RunTask has been called, so there may be a task. */
  private launched = false;

  constructor(
    private readonly context: CreateContext,
    private readonly request: CheckedRequest,
    private readonly options: CreateOptions,
    private readonly signal: AbortSignal,
  ) {
    this.createdAt = context.services.tasks.now();
  }

  async run(): Promise<CreatedHost> {
    const { services } = this.context;
    const { name } = this.request;
    this.report('keys');
    throwIfAborted(`creating host ${name}`, this.signal);
    const pair = generateKeyPair(this.hostId);
    const nonce = randomBytes(32).toString('hex');
    const environment = bootEnvironment(this.request, {
      hostId: this.hostId,
      provider: services.provider,
      nonce,
      publicKey: pair.publicKey,
    });
    services.launcher.checkOverrides(this.request, environment);

    const [taskDefinition] = await Promise.all([
      services.definitions.revisionFor(this.request.image),
      this.refuseTaken(),
      this.request.wait ? services.carrier.prepare?.(this.signal) : undefined,
    ]);
    // AWS has answered by now, so that the SDK knows how far this machine's clock is off.
    this.createdAt = services.tasks.now();
    const createdAt = new Date(this.createdAt);
    const { hostId } = this;
    const { provider } = services;
    const identity = { hostId, provider, environment, createdAt, taskDefinition };
    const record: HostRecord = {
      hostId: this.hostId,
      name,
      provider: services.provider,
      taskArn: null,
      nonce,
      createdAt: createdAt.toISOString(),
      region: services.config.aws_region,
      cluster: clusterNameOf(services.config.ecs_cluster),
      setup: {
        command: this.request.command === null ? null : [...this.request.command],
        env: { ...this.request.env },
      },
    };
    await services.keys.create(record, pair);
    this.report('run-task');
    try {
      throwIfAborted(`creating host ${name}`, this.signal);
      const onSent = (): void => {
        this.launched = true;
      };
      this.task = await services.launcher.launch(this.request, identity, { onSent, signal: this.signal });
      this.report('address');
      const running = { ...record, taskArn: this.task.taskArn ?? null };
      await services.keys.save(running);
      throwIfAborted(`creating host ${name}`, this.signal);
      return this.request.wait ? await this.finish(running, pair.privateKey, nonce) : this.host(null);
    } catch (error) {
      await this.cleanUp(error);
      throw error;
    }
  }

  private async finish(record: HostRecord, privateKey: string, nonce: string): Promise<CreatedHost> {
    const { services, background, keepChannel } = this.context;
    const { name, taskArn } = { name: record.name, taskArn: record.taskArn ?? '' };
    const second = new AbortController();
    const sole = services.launcher.refuseSecond(services.provider, name, this.task as Task, this.signal);
    sole.catch(() => second.abort());
    const { channel, addresses, publicIp, privateIp, ipv6 } = await reachNewHost(
      services,
      { name, taskArn, privateKey, nonce },
      AbortSignal.any([this.signal, second.signal]),
      (step, task) => {
        this.task = task;
        this.report(step);
      },
    ).catch(async (error: unknown) => {
      if (second.signal.aborted) await sole;
      throw error;
    });
    try {
      await sole;
      this.report('setup');
      const { readyAt } = await finishHost(services, {
        record,
        channel,
        addresses,
        background,
        signal: this.signal,
      });
      const { command } = this.request;
      const agentNotice =
        command === null ? undefined : await watchStart(scriptRunner(channel, this.signal), name, command, this.signal);
      keepChannel(this.hostId, channel);
      this.report('ready');
      const host = this.host(readyAt);
      return {
        ...host,
        address: addresses[0] ?? null,
        publicIp,
        privateIp: privateIp ?? host.privateIp,
        ipv6: host.ipv6 ?? ipv6,
        ...(agentNotice !== undefined && { agentNotice }),
      };
    } catch (error) {
      channel.close();
      throw error;
    }
  }

  /** ECS finds a task only by its first name; a rename is in the records of the machine that renamed the host. */
  private async refuseTaken(): Promise<void> {
    const { services } = this.context;
    const { name } = this.request;
    await services.launcher.refuseTaken(services.provider, name, this.signal);
    const recorded = await recordedTasks(services, name, { signal: this.signal });
    const taken = recorded.find((task) => isLiveHost(task, name));
    if (taken !== undefined) throw alreadyExists(name, taken);
  }

  private host(readyAt: string | null): Host {
    const { services } = this.context;
    const { identityFile, knownHostsFile } = services.keys.paths(this.hostId);
    const files = { identityFile, knownHostsFile: readyAt === null ? null : knownHostsFile };
    return { ...hostOf(this.task as Task, services.config, { files }), readyAt, ready: readyAt !== null };
  }

  /** Stops the task, even if RunTask's response was lost, and removes the keys. Throws if the task can't be stopped. */
  private async cleanUp(error: unknown): Promise<void> {
    const { services } = this.context;
    const signal = AbortSignal.timeout(CLEAN_UP);
    try {
      const arns = this.task?.taskArn
        ? [this.task.taskArn]
        : this.launched && isAmbiguous(error)
          ? await this.lostTasks(signal)
          : [];
      for (const arn of arns) await this.stop(arn, error, signal);
    } catch (problem) {
      throw new MngrFargateError(
        'failed',
        `creating host ${this.request.name} failed (${(error as Error).message}), and its task could not be stopped: ${(problem as Error).message}`,
        {
          cause: error,
          hint: `destroy it with \`mngr-fargate destroy ${this.request.name}\`; otherwise it stops when its boot lease runs out`,
          details: { taskArn: this.task?.taskArn ?? null },
        },
      );
    } finally {
      await services.keys.remove(this.hostId);
    }
  }

  /** Calls StopTask until it succeeds: a throttled or failing API must not leave a task behind. */
  private async stop(arn: string, error: unknown, signal: AbortSignal): Promise<void> {
    const reason = `${STOP_REASON_PREFIXES.createFailed}: ${isMngrFargateError(error) ? error.code : 'failed'}`;
    for (;;) {
      try {
        await this.context.services.tasks.stop(arn, reason, signal, this.createdAt);
        return;
      } catch (problem) {
        if (isMngrFargateError(problem) && (problem.code === 'denied' || problem.code === 'aborted')) throw problem;
        await new Promise((resolve) => setTimeout(resolve, STOP_INTERVAL_MS));
        if (signal.aborted) throw problem;
      }
    }
  }

  private async lostTasks(signal: AbortSignal): Promise<string[]> {
    const { services } = this.context;
    const visibleAt = services.tasks.now() + VISIBLE_AFTER_MS;
    for (;;) {
      const certain = services.tasks.now() >= visibleAt;
      const tasks = await services.tasks.named(launchName(services, this.request.name), 'RUNNING', signal);
      const mine = tasks.filter((task) => tagsOf(task)[HOST_TAGS.hostId] === this.hostId);
      if (mine.length > 0) return mine.map((task) => task.taskArn ?? '');
      if (certain) return [];
      await services.tasks.pause(LIST_INTERVAL_MS, `looking for the task of host ${this.request.name}`, signal);
    }
  }

  private report(step: CreateStep): void {
    this.options.onProgress?.({
      name: this.request.name,
      step,
      state: this.task === undefined ? null : stateOf(this.task),
      taskArn: this.task?.taskArn ?? null,
      elapsedMs: Math.round(performance.now() - this.started),
    });
  }
}

/**
 * Errors after which RunTask may still have started a task: there was no response, or one that doesn't tell. An abort is
 * one of them, since it can come between two attempts of a call whose first attempt got no response.
 */
const isAmbiguous = (error: unknown): boolean =>
  !isMngrFargateError(error) ||
  error.code === 'unreachable' ||
  error.code === 'aborted' ||
  (error.code === 'failed' && error.details.awsError !== undefined);
