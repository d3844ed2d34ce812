import { randomBytes } from 'node:crypto';
import type { Task } from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT } from '../../contract/boot-variables';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { newHostId } from '../../contract/host-name';
import type { HostProbeAnswer, HostProbeRequest } from '../../contract/host-probe';
import type { ProviderConfig } from '../../contract/provider-config';
import { HOST_TAGS } from '../../contract/tags';
import { pause } from '../../util/abort';
import { bootEnvironment, checkRequest } from '../model/create-request';
import type { CheckedRequest } from '../model/create-request';
import { alreadyExists } from '../ecs/launch';
import { launchName, makeAwsServices } from '../services';
import type { AwsServices } from '../services';
import { setupScript } from '../remote/setup-script';
import { hasEnded, stoppedError } from '../ecs/stopped-task';
import { VISIBLE_AFTER_MS } from '../ecs/visibility';
import {
  addressOf,
  environmentOf,
  isLive,
  isLiveHost,
  nameOf,
  networkInterfaceIdOf,
  tagsOf,
  olderTaskFirst,
} from '../model/task-view';
import type { AwsSettings, CreateHostRequest } from '../model/types';

/** The owner of a host: a resource of a CloudFormation stack. */
export interface StackOwner {
  /** The stack's id, an ARN. */
  readonly stackId: string;
  /** The resource's logical id. */
  readonly resource: string;
}

export interface StackHostRequest extends Pick<
  CreateHostRequest,
  | 'name'
  | 'command'
  | 'env'
  | 'cpu'
  | 'memory'
  | 'spot'
  | 'tags'
  | 'idleTimeout'
  | 'maxAge'
  | 'ephemeralStorage'
  | 'authorizedKeys'
> {
  /** One line in OpenSSH's format. The private key stays with whoever generated it. */
  readonly publicKey: string;
  /** A digest of everything that determines what runs. */
  readonly digest: string;
}

/** A stack's host that is starting or ready. */
export type StackHostState =
  | { readonly ready: false; /** What it waits for, for a message. */ readonly waitingFor: string }
  | {
      readonly ready: true;
      readonly hostId: string;
      readonly publicIp: string | null;
      readonly privateIp: string | null;
      /** Where operators reach it, according to the provider's settings. */
      readonly host: string;
      readonly port: number;
      /** `ssh-ed25519 AAAA…` */
      readonly hostKey: string;
    };

export type HostProbe = (request: HostProbeRequest) => Promise<HostProbeAnswer>;

/** If RunTask's response is lost there may be a task that nobody knows of, so the call is repeated. */
const LAUNCH_ATTEMPTS = 8;
const LAUNCH_PAUSE_MS = 3_000;

/**
 * Hosts that belong to a CloudFormation stack. Nobody logs in to them for the stack: they start without a boot lease
 * and run their setup by themselves. Their state is read from ECS each time, since each step is a separate invocation.
 */
export class StackHosts {
  private readonly services: AwsServices;

  constructor(
    private readonly owner: StackOwner,
    options: { readonly config: ProviderConfig; readonly provider?: string; readonly aws?: AwsSettings },
  ) {
    this.services = makeAwsServices(options);
  }

  /**
   * The owner's live host that was launched with this digest, or a new one. The same client token never starts a
   * second task. Throws `already-exists` if another owner's host has the name, and RunTask's errors.
   */
  async launch(
    request: StackHostRequest,
    clientToken: string,
  ): Promise<{ readonly taskArn: string; readonly launched: boolean }> {
    const { services, owner } = this;
    const checked = checkRequest({ ...request, owner: 'stack', bootLeaseSeconds: 0 }, services.config);
    const holders = await this.holdersOf(checked.name);
    const rival = holders.find((task) => !this.owns(task));
    if (rival !== undefined) throw alreadyExists(checked.name, rival);
    const same = holders.find((task) => tagsOf(task)[HOST_TAGS.stackDigest] === request.digest);
    if (same?.taskArn !== undefined) return { taskArn: same.taskArn, launched: false };

    const hostId = newHostId();
    const identity = {
      hostId,
      provider: services.provider,
      createdAt: new Date(),
      taskDefinition: services.config.task_definition,
      environment: stackEnvironment(checked, { hostId, provider: services.provider, publicKey: request.publicKey }),
      ownerTags: {
        [HOST_TAGS.stackId]: owner.stackId,
        [HOST_TAGS.stackResource]: owner.resource,
        [HOST_TAGS.stackDigest]: request.digest,
      },
    };
    for (let attempt = 1; ; attempt++) {
      try {
        const taskArn = await services.launcher.launchOnce(checked, identity, clientToken);
        return { taskArn, launched: true };
      } catch (error) {
        if (attempt === LAUNCH_ATTEMPTS || !mayPass(error)) throw error;
        await pause(LAUNCH_PAUSE_MS, `starting host ${checked.name}`);
      }
    }
  }

  /** True if the task is live and was launched with this digest. */
  async runs(taskArn: string, digest: string): Promise<boolean> {
    const task = await this.find(taskArn);
    return task !== undefined && isLive(task) && tagsOf(task)[HOST_TAGS.stackDigest] === digest;
  }

  /**
   * Sets the tags and the age limit of a request on a host, and removes those of an earlier request. Other tags stay:
   * they come from the task definition, and so from the stack.
   */
  async retag(
    taskArn: string,
    request: Pick<StackHostRequest, 'tags' | 'maxAge'>,
    formerKeys: readonly string[],
  ): Promise<void> {
    const task = await this.find(taskArn);
    if (task === undefined || !isLive(task)) return;
    const present = tagsOf(task);
    const created =
      Date.parse(present[HOST_TAGS.createdAt] ?? '') || (task.createdAt?.getTime() ?? this.services.tasks.now());
    const wanted: Record<string, string> = {
      ...request.tags,
      ...(request.maxAge !== undefined && {
        [HOST_TAGS.expiresAt]: new Date(created + request.maxAge * 1000).toISOString(),
      }),
    };
    const extra = [...formerKeys, HOST_TAGS.expiresAt].filter((key) => key in present && !(key in wanted));
    const changed = Object.entries(wanted).filter(([key, value]) => present[key] !== value);
    if (extra.length > 0) await this.services.tasks.untag(taskArn, extra);
    if (changed.length > 0) await this.services.tasks.tag(taskArn, Object.fromEntries(changed));
  }

  /**
   * Checks once how far a host is. The first check that finds it ready records that in ECS.
   * Throws `task-stopped`, `no-capacity`, `unverified-host-key`, `already-exists`.
   */
  async look(taskArn: string, probe: HostProbe): Promise<StackHostState> {
    const { services } = this;
    const { config } = services;
    const task = await this.find(taskArn);
    if (task === undefined) return waiting('ECS does not show the task yet');
    const name = nameOf(task);
    if (hasEnded(task)) throw await stoppedError(task, name, config, services.logs);
    if (!isLive(task)) return waiting('the task is stopping');
    await this.refuseSecond(task, name);

    const interfaceId = networkInterfaceIdOf(task);
    const addresses = interfaceId === undefined ? undefined : await services.interfaces.find(interfaceId);
    const inside = addressOf(task, { ...config, assign_public_ip: false }, addresses);
    const outside = addressOf(task, config, addresses);
    if (inside === null || outside === null)
      return waiting(`the task has no address yet, ECS says ${task.lastStatus ?? 'nothing'}`);

    const nonce = environmentOf(task, config, BOOT_ENVIRONMENT.bootNonce) ?? '';
    if (nonce === '') {
      throw new MngrFargateError('unverified-host-key', `task ${taskArn} was launched without a boot nonce`);
    }
    const answer = await probe({ host: inside.host, port: inside.port, nonce });
    if (answer.outcome === 'stranger') throw new MngrFargateError('unverified-host-key', answer.problem);
    if (answer.outcome === 'silent')
      return waiting(`sshd does not answer, ECS says ${task.lastStatus ?? 'nothing'}: ${answer.problem}`);

    const tags = tagsOf(task);
    if (tags[HOST_TAGS.readyAt] === undefined)
      await services.tasks.tag(taskArn, { [HOST_TAGS.readyAt]: new Date(services.tasks.now()).toISOString() });
    return {
      ready: true,
      hostId: tags[HOST_TAGS.hostId] ?? '',
      publicIp: addresses?.publicIp ?? null,
      privateIp: addresses?.privateIp ?? inside.host,
      host: outside.host,
      port: outside.port,
      hostKey: answer.hostKey,
    };
  }

  /**
   * Stops a task. A task that is gone, even with its cluster, counts as stopped. A task that is stopping is left alone: it
   * has lost the tags that allow its owner to stop it. A task that ECS doesn't show may have been launched a moment ago,
   * so this waits for it.
   */
  async stop(taskArn: string, reason: string): Promise<void> {
    const { tasks } = this.services;
    const [task] = await unlessGone(tasks.describeLaunched([taskArn], tasks.now()), []);
    if (task !== undefined && isLive(task)) await tasks.stop(taskArn, reason);
  }

  /**
   * True if a task has stopped and its network interface is gone. A task that is still running is told to stop again. A
   * task that ECS doesn't show counts as stopped only some time after `since`, when its deletion began, in milliseconds
   * since 1970.
   */
  async hasStopped(taskArn: string, reason: string, since: number): Promise<boolean> {
    const { tasks } = this.services;
    const certain = tasks.now() >= since + VISIBLE_AFTER_MS;
    const shown = await unlessGone(tasks.describe([taskArn]), undefined);
    if (shown === undefined) return true;
    const [task] = shown;
    if (task === undefined) return certain;
    if (hasEnded(task)) return true;
    if (isLive(task)) await tasks.stop(taskArn, reason);
    return false;
  }

  close(): void {
    this.services.clients.destroy();
  }

  private async find(taskArn: string): Promise<Task | undefined> {
    const [task] = await this.services.tasks.describe([taskArn]);
    return task;
  }

  /** Refuses the host if a launcher took the name at the same moment and its host is older (docs/decisions/002). */
  private async refuseSecond(mine: Task, name: string): Promise<void> {
    const rivals = (await this.holdersOf(name)).filter((task) => !this.owns(task));
    const elder = [...rivals, mine].sort(olderTaskFirst)[0];
    if (elder !== undefined && elder !== mine) throw alreadyExists(name, elder);
  }

  private async holdersOf(name: string): Promise<Task[]> {
    const tasks = await this.services.tasks.named(launchName(this.services, name), 'RUNNING');
    return tasks.filter((task) => isLiveHost(task, name));
  }

  private owns(task: Task): boolean {
    const tags = tagsOf(task);
    return tags[HOST_TAGS.stackId] === this.owner.stackId && tags[HOST_TAGS.stackResource] === this.owner.resource;
  }
}

const waiting = (waitingFor: string): StackHostState => ({ ready: false, waitingFor });

/** The age limit is only in its tag, which an update can change; the image would read it only at boot. */
function stackEnvironment(
  request: CheckedRequest,
  identity: { readonly hostId: string; readonly provider: string; readonly publicKey: string },
): Record<string, string> {
  const nonce = randomBytes(32).toString('hex');
  const setup = setupScript(request.name, {
    command: request.command && [...request.command],
    env: { ...request.env },
  });
  return {
    ...bootEnvironment({ ...request, maxAge: undefined }, { ...identity, nonce }),
    ...(setup !== null && { [BOOT_ENVIRONMENT.setup]: setup }),
  };
}

/** Failures that a later call may not have: no response, AWS's own errors, and a role that ECS doesn't know yet. */
const mayPass = (error: unknown): boolean =>
  isMngrFargateError(error) &&
  (error.code === 'unreachable' ||
    /unable to assume/i.test(error.message) ||
    (error.cause as { $fault?: string } | undefined)?.$fault === 'server');

async function unlessGone<T>(call: Promise<T>, otherwise: T): Promise<T> {
  try {
    return await call;
  } catch (error) {
    if (isMngrFargateError(error) && error.code === 'not-found') return otherwise;
    throw error;
  }
}
