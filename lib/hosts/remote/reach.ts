import type { Task } from '@aws-sdk/client-ecs';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import { connect, knock } from '../../ssh';
import type { SshConnection } from '../../ssh';
import { orAborted, throwIfAborted } from '../../util/abort';
import type { InterfaceAddresses } from '../ecs/network-interfaces';
import type { Services } from '../services';
import { hasEnded, stoppedError } from '../ecs/stopped-task';
import { addressOf, networkInterfaceIdOf } from '../model/task-view';
import type { CreateStep, HostAddress } from '../model/types';

/** Outcomes of a login that the create's own deadline decides about. */
const NOT_YET: ReadonlySet<string> = new Set(['unreachable', 'timed-out']);

export interface NewHost {
  readonly name: string;
  readonly taskArn: string;
  readonly privateKey: string;
  readonly nonce: string;
}

export interface ReachedHost {
  readonly connection: SshConnection;
  readonly address: HostAddress;
  readonly addresses: InterfaceAddresses | undefined;
}

/**
 * The first connection to a host that is still starting: learns its address as soon as ECS shows the network interface,
 * knocks while ECS still says PENDING, and takes the first SSH server whose host key the proof covers.
 * Throws `task-stopped` or `no-capacity` when the task ends, `unverified-host-key`, `denied`, `aborted`.
 */
export async function reachNewHost(
  services: Services,
  host: NewHost,
  signal: AbortSignal,
  onStep: (step: CreateStep, task: Task) => void = () => undefined,
): Promise<ReachedHost> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  let latest: Task | undefined;
  let stopped: Task | undefined;
  let problem: unknown;
  let step: CreateStep = 'address';

  const unwatch = services.watch.watch(
    host.taskArn,
    (task) => {
      latest = task;
      onStep(step, task);
      if (!hasEnded(task)) return;
      stopped = task;
      ended.abort();
    },
    (error) => {
      problem = error;
      ended.abort();
    },
  );
  try {
    const { address, addresses } = await learnAddress(services, host.taskArn, either);
    step = 'ssh';
    if (latest !== undefined) onStep(step, latest);
    const connection = await firstLogin(services, host, address, either);
    return { connection, address, addresses };
  } catch (error) {
    if (stopped !== undefined) throw await stoppedError(stopped, host.name, services.config, services.logs);
    if (problem !== undefined && !signal.aborted) throw problem;
    throw error;
  } finally {
    unwatch();
  }
}

/** The address of a task from the first DescribeTasks that shows one, and from EC2 where a public one is asked for. */
async function learnAddress(
  services: Services,
  taskArn: string,
  signal: AbortSignal,
): Promise<{ address: HostAddress; addresses: InterfaceAddresses | undefined }> {
  const { config, watch, interfaces } = services;
  for (;;) {
    const task = await watch.until(
      taskArn,
      (seen) =>
        networkInterfaceIdOf(seen) !== undefined || addressOf(seen, config, undefined) !== null ? seen : undefined,
      signal,
    );
    const id = networkInterfaceIdOf(task);
    const addresses =
      id === undefined ? undefined : await orAborted(interfaces.find(id), 'looking up an address', signal);
    const address = addressOf(task, config, addresses);
    if (address !== null) return { address, addresses };
    // The public address is associated a moment after the interface appears: look again with the next state.
    if (addresses !== undefined && task.lastStatus === 'RUNNING') {
      throw new MngrFargateError('unreachable', `task ${taskArn} runs without a public address`, {
        hint: 'use public subnets, or set `assign_public_ip = false` where this machine reaches the private addresses',
      });
    }
    await orAborted(new Promise((resolve) => setTimeout(resolve, 200)), 'waiting for an address', signal);
  }
}

/** A connection that breaks or stalls before the login is as good as none yet: sshd may still be on its way. */
async function firstLogin(
  { knockPace }: Services,
  host: NewHost,
  address: HostAddress,
  signal: AbortSignal,
): Promise<SshConnection> {
  for (;;) {
    const greeting = await knock(address.host, address.port, { signal, pace: knockPace });
    try {
      return await connect({
        ...address,
        privateKey: host.privateKey,
        hostKey: { type: 'proof', nonce: host.nonce },
        greeting,
        signal,
      });
    } catch (error) {
      if (!isMngrFargateError(error) || !NOT_YET.has(error.code)) throw error;
      throwIfAborted(`logging in to ${host.name}`, signal);
    }
  }
}
