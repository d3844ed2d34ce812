import { createHash } from 'node:crypto';
import { RunTaskCommand } from '@aws-sdk/client-ecs';
import type { ConflictException, RunTaskCommandInput, Task, TaskOverride } from '@aws-sdk/client-ecs';
import { EPHEMERAL_STORAGE } from '../../contract/fargate-sizes';
import { MngrFargateError } from '../../contract/errors';
import { startedByOf } from '../../contract/host-name';
import type { ProviderConfig } from '../../contract/provider-config';
import { HOST_TAGS } from '../../contract/tags';
import { familyOf } from '../../contract/task-definition-family';
import { throwIfAborted } from '../../util/abort';
import { awsErrorOf, textMeaning } from '../../aws/aws-errors';
import { oneLine } from '../../util/one-line';
import type { EcsClient } from '../../aws/ecs-client';
import type { CheckedRequest } from '../model/create-request';
import type { NameIndex } from './name-index';
import { isInEnvironment, isLiveHost, olderTaskFirst, tagsOf } from '../model/task-view';
import type { Tasks } from './tasks';
import { VISIBLE_AFTER_MS } from './visibility';

/** Milliseconds between two looks for a task that ListTasks doesn't show yet. */
const LIST_INTERVAL_MS = 1_000;
/** The JSON of all overrides (ECS API, TaskOverride). Characters. */
const MAX_OVERRIDES = 8192;
/** How often one name can be used within the day for which ECS remembers client tokens. */
const MAX_PREDECESSORS = 200;

export interface LaunchIdentity {
  readonly hostId: string;
  readonly provider: string;
  readonly createdAt: Date;
  readonly environment: Readonly<Record<string, string>>;
  readonly taskDefinition: string;
  /** Additional tags of ours, for hosts that are not owned by a launcher. */
  readonly ownerTags?: Readonly<Record<string, string>>;
}

export interface LaunchOptions {
  /** Called before each RunTask: from then on a task may have been started, even if an error is thrown. */
  readonly onSent: () => void;
  readonly signal?: AbortSignal;
}

/** Starts the only task of a host name (docs/decisions/002). */
export class Launcher {
  constructor(
    private readonly ecs: EcsClient,
    private readonly tasks: Tasks,
    private readonly names: NameIndex,
    private readonly config: ProviderConfig,
  ) {}

  /** Throws `already-exists` when a live host has the name. */
  async refuseTaken(provider: string, name: string, signal?: AbortSignal): Promise<void> {
    const arns = await this.names.liveArns(provider, name, signal);
    const taken = (await this.tasks.describeLaunched(arns, this.tasks.now(), signal)).find(
      (task) => isLiveHost(task, name) && isInEnvironment(task, this.config),
    );
    if (taken !== undefined) throw alreadyExists(name, taken);
  }

  /**
   * The second guard of decision 002: of two live tasks with the same name, the newer one is stopped.
   * Throws `already-exists` if `mine` is the newer one.
   */
  async refuseSecond(provider: string, name: string, mine: Task, signal?: AbortSignal): Promise<void> {
    const arns = await this.liveArnsBeside(mine.taskArn ?? '', provider, name, signal);
    if (arns.every((arn) => arn === mine.taskArn)) return;
    const tasks = await this.tasks.describeLaunched(arns, this.tasks.now(), signal);
    const rivals = tasks.filter(
      (task) => isLiveHost(task, name) && isInEnvironment(task, this.config) && task.taskArn !== mine.taskArn,
    );
    const own = tasks.find((task) => task.taskArn === mine.taskArn) ?? mine;
    const elder = [...rivals, own].sort(olderTaskFirst)[0];
    if (elder !== undefined && elder !== own) throw alreadyExists(name, elder);
  }

  /**
   * RunTask with the client token that anybody who creates this name now would use. If Fargate has no capacity, each subnet
   * is tried alone, since each is in a different availability zone.
   * Throws `already-exists`, `no-capacity`, `denied`, `usage`, `failed`.
   */
  async launch(request: CheckedRequest, identity: LaunchIdentity, options: LaunchOptions): Promise<Task> {
    const places =
      request.subnets.length > 1
        ? [request.subnets, ...shuffled(request.subnets).map((id) => [id])]
        : [request.subnets];
    let refusal: MngrFargateError | undefined;
    for (const [place, subnets] of places.entries()) {
      try {
        return await this.launchIn({ subnets, place }, request, identity, options);
      } catch (error) {
        if (!(error instanceof MngrFargateError) || error.code !== 'no-capacity') throw error;
        refusal ??= error;
      }
    }
    throw refusal as MngrFargateError;
  }

  /** Throws `usage` if RunTask would refuse the overrides of a request for their size. */
  checkOverrides(request: CheckedRequest, environment: LaunchIdentity['environment']): void {
    const size = Buffer.byteLength(JSON.stringify(this.overrides(request, environment)));
    if (size <= MAX_OVERRIDES) return;
    throw new MngrFargateError(
      'usage',
      `the host's settings take ${size} characters, and RunTask allows ${MAX_OVERRIDES}: give fewer authorized keys or tags`,
    );
  }

  private overrides(request: CheckedRequest, environment: LaunchIdentity['environment']): TaskOverride {
    return {
      cpu: String(request.cpu),
      memory: String(request.memory),
      ...(request.ephemeralStorage !== undefined &&
        request.ephemeralStorage > EPHEMERAL_STORAGE.included && {
          ephemeralStorage: { sizeInGiB: request.ephemeralStorage },
        }),
      containerOverrides: [
        {
          name: this.config.container_name,
          environment: Object.entries(environment).map(([name, value]) => ({ name, value })),
        },
      ],
    };
  }

  /** Input of RunTask, apart from the token. Throws `usage` if the overrides are too large. */
  private input(request: CheckedRequest, identity: LaunchIdentity, subnets: readonly string[]): RunTaskCommandInput {
    const { config } = this;
    this.checkOverrides(request, identity.environment);
    const { provider, hostId, hostName, createdAt, expiresAt, environment, owner } = HOST_TAGS;
    const tags: Record<string, string> = {
      ...request.tags,
      ...identity.ownerTags,
      [provider]: identity.provider,
      [hostId]: identity.hostId,
      [hostName]: request.name,
      [environment]: familyOf(config.task_definition),
      [owner]: request.owner,
      [createdAt]: identity.createdAt.toISOString(),
      ...(request.maxAge !== undefined && {
        [expiresAt]: new Date(identity.createdAt.getTime() + request.maxAge * 1000).toISOString(),
      }),
    };
    return {
      cluster: config.ecs_cluster,
      taskDefinition: identity.taskDefinition,
      count: 1,
      startedBy: startedByOf(identity.provider, request.name),
      enableExecuteCommand: true,
      // The stack's tags are on its task definition: an organization's cost and policy tags reach its hosts by it.
      propagateTags: 'TASK_DEFINITION',
      ...(request.spot
        ? { capacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }] }
        : { launchType: 'FARGATE' as const }),
      networkConfiguration: {
        awsvpcConfiguration: {
          subnets: [...subnets],
          securityGroups: [...config.security_groups],
          assignPublicIp: config.assign_public_ip ? 'ENABLED' : 'DISABLED',
        },
      },
      overrides: this.overrides(request, identity.environment),
      tags: Object.entries(tags).map(([key, value]) => ({ key, value })),
    };
  }

  /**
   * RunTask with the caller's own client token: repeated calls start only one task. Returns the task's ARN, even if an
   * earlier call started it with other settings. Throws `no-capacity`, `denied`, `usage`, `unreachable`, `failed`.
   */
  async launchOnce(request: CheckedRequest, identity: LaunchIdentity, clientToken: string): Promise<string> {
    const input = { ...this.input(request, identity, request.subnets), clientToken };
    try {
      const task = await this.run(input, request.name, { onSent: () => undefined });
      return task.taskArn ?? '';
    } catch (error) {
      const [earlier] = conflictOf(error)?.resourceIds ?? [];
      if (earlier === undefined) throw error;
      return earlier;
    }
  }

  /**
   * The live tasks of the name, looked up until ListTasks shows the one just launched: before that it may hide an older
   * one as well.
   */
  private async liveArnsBeside(
    mine: string,
    provider: string,
    name: string,
    signal?: AbortSignal,
  ): Promise<readonly string[]> {
    const { names, tasks } = this;
    const visibleAt = tasks.now() + VISIBLE_AFTER_MS;
    for (;;) {
      const certain = tasks.now() >= visibleAt;
      const arns = await names.liveArns(provider, name, signal);
      if (arns.includes(mine) || certain) return arns;
      await tasks.pause(LIST_INTERVAL_MS, `looking for hosts named ${name}`, signal);
    }
  }

  private async launchIn(
    { subnets, place }: { readonly subnets: readonly string[]; readonly place: number },
    request: CheckedRequest,
    identity: LaunchIdentity,
    options: LaunchOptions,
  ): Promise<Task> {
    const { signal } = options;
    const input = this.input(request, identity, subnets);
    let predecessor = 'none';
    for (let hop = 0; hop < MAX_PREDECESSORS; hop++) {
      const clientToken = tokenOf(
        familyOf(this.config.task_definition),
        identity.provider,
        request.name,
        predecessor,
        place,
      );
      try {
        return await this.run({ ...input, clientToken }, request.name, options);
      } catch (error) {
        const conflict = conflictOf(error);
        if (conflict === undefined) throw error;
        throwIfAborted(`starting host ${request.name}`, signal);
        const { provider } = identity;
        predecessor = await this.predecessor(conflict, { name: request.name, provider, hop }, signal);
      }
    }
    throw new MngrFargateError(
      'failed',
      `host name ${request.name} was used ${MAX_PREDECESSORS} times within a day: choose another name`,
    );
  }

  /** The signal ends the wait for the rate limit, but not a call that was sent: only its answer says which task to stop. */
  private async run(input: RunTaskCommandInput, name: string, { onSent, signal }: LaunchOptions): Promise<Task> {
    const { tasks = [], failures = [] } = await this.ecs.send(new RunTaskCommand(input), `start host ${name}`, {
      signal,
      onSend: onSent,
    });
    const [task] = tasks;
    if (task !== undefined) {
      this.names.remember(task.taskArn ?? '', input.startedBy ?? '');
      return task;
    }
    const reasons = failures.map(({ reason = '', detail }) =>
      oneLine(detail === undefined ? reason : `${reason} (${detail})`),
    );
    const text = reasons.join('; ') || 'ECS started no task and gave no reason';
    const meaning = failures.map(({ reason = '' }) => textMeaning(reason)).find((found) => found !== undefined);
    throw new MngrFargateError(meaning?.code ?? 'failed', `cannot start host ${name}: ${text}`, {
      hint:
        meaning?.hint ?? 'ECS refused to start the task: `aws ecs describe-clusters` and the events of ECS say more',
      details: { failures: reasons },
    });
  }

  /**
   * The task that used the token, if it has stopped; throws `already-exists` if it is running. The conflict proves that
   * the task was launched, perhaps a moment ago, so this waits for a task that ECS doesn't show yet.
   */
  private async predecessor(
    conflict: ConflictException,
    { name, provider, hop }: { readonly name: string; readonly provider: string; readonly hop: number },
    signal?: AbortSignal,
  ): Promise<string> {
    const ids = conflict.resourceIds ?? [];
    const described = await this.tasks.describeLaunched(ids, this.tasks.now(), signal);
    const living = described.find((task) => isLiveHost(task, name) && isInEnvironment(task, this.config));
    if (living !== undefined) throw alreadyExists(name, living);
    if (hop > 0) return ids[0] ?? `conflict-${hop}`;
    // A name that was used often today has many predecessors: start with the newest one that ECS still shows.
    const stopped = await this.tasks.named(
      { provider, name, environment: familyOf(this.config.task_definition) },
      'STOPPED',
      signal,
    );
    const newest = [...described, ...stopped].sort(olderTaskFirst).pop();
    return newest?.taskArn ?? ids[0] ?? 'unknown';
  }
}

export const alreadyExists = (name: string, task: Task): MngrFargateError =>
  new MngrFargateError('already-exists', `a host ${name} already exists (${task.taskArn}, ${task.lastStatus})`, {
    hint: 'choose another name, or destroy that host first',
    details: { taskArn: task.taskArn, hostId: tagsOf(task)[HOST_TAGS.hostId] },
  });

/** At most 64 printable characters (ECS API, RunTask). */
const tokenOf = (...parts: readonly (string | number)[]): string =>
  createHash('sha256').update(JSON.stringify(parts)).digest('hex');

function conflictOf(error: unknown): ConflictException | undefined {
  const cause = awsErrorOf(error);
  return cause?.name === 'ConflictException' ? (cause as ConflictException) : undefined;
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((one, other) => one.order - other.order)
    .map(({ item }) => item);
}
