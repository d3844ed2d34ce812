import type { Duplex } from 'node:stream';
import type { SSMClient } from '@aws-sdk/client-ssm';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../../contract/errors';
import type { ProviderConfig } from '../../contract/provider-config';
import type { SshSession } from '../../session';
import type { HostKeyPolicy } from '../../ssh';
import { awaitGreeting, logIn } from '../../ssh';
import { orAborted, pause } from '../../util/abort';
import type { NetworkInterfaces } from '../ecs/network-interfaces';
import type { TaskWatch } from '../ecs/task-watch';
import { sessionTargetOf } from '../model/session-target';
import { addressesOf, networkInterfaceIdOf } from '../model/task-view';
import type { Host, HostAddress } from '../model/types';
import type { Carrier, NewHost, ReachedHost, Route } from './carrier';
import type { KeyStore } from './key-store';

const SSH_PORT = 22;
const SSH_USER = 'root';
/** The agent connects to sshd when the session starts, so a session that is open answers at once. */
const GREETING_TIMEOUT_MS = 20_000;
/** Milliseconds between two sessions to a host whose sshd doesn't answer yet: StartSession has a low request limit. */
const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 5_000;
/** How long an agent that has just started, or is being restarted, may refuse sessions to a host in use. */
const CONNECT_MS = 30_000;

const NOT_YET: ReadonlySet<string> = new Set(['unreachable', 'timed-out', 'failed']);
/** AWS's errors for an agent that is known but not connected, or that will be in a moment. */
const PASSING: ReadonlySet<unknown> = new Set([undefined, 'TargetNotConnected', 'InternalServerError']);

const isNotYet = (error: unknown): error is MngrFargateError =>
  isMngrFargateError(error) && NOT_YET.has(error.code) && PASSING.has(error.details.awsError);

export interface SessionCarrierParts {
  readonly config: ProviderConfig;
  readonly watch: TaskWatch;
  readonly interfaces: NetworkInterfaces;
  readonly keys: KeyStore;
  readonly ssm: () => Promise<SSMClient>;
}

/** SSH through Session Manager: the agent of ECS Exec in the host connects to its sshd. No port of the host is open. */
export class SessionCarrier implements Carrier {
  private readonly sessions = new Set<SshSession>();

  constructor(private readonly parts: SessionCarrierParts) {}

  /** Waits for the agent, then starts sessions until sshd answers in one and proves its host key. */
  async reach(host: NewHost, signal: AbortSignal, onFound: () => void): Promise<ReachedHost> {
    const { name, taskArn, privateKey, nonce } = host;
    const target = await this.targetOf({ name, taskArn }, signal);
    onFound();
    const login = { name, privateKey, hostKey: { type: 'proof', nonce } } as const;
    const [channel, place] = await Promise.all([this.firstLogin(target, login, signal), this.placeOf(taskArn, signal)]);
    return { channel, ...place };
  }

  async connect(host: Host, privateKey: string, signal?: AbortSignal): Promise<HostChannel> {
    const deadline = AbortSignal.timeout(CONNECT_MS);
    const either = signal === undefined ? deadline : AbortSignal.any([signal, deadline]);
    const keys = await this.parts.keys.pinnedKeys(host.hostId, host.address);
    const login = { name: host.name, privateKey, hostKey: { type: 'pinned', keys } } as const;
    let problem: unknown;
    try {
      const target = await this.targetOf(host, either);
      return await this.firstLogin(target, login, either, (error) => {
        problem = error;
      });
    } catch (error) {
      if (!deadline.aborted || signal?.aborted) throw error;
      const seconds = CONNECT_MS / 1000;
      const because = problem instanceof Error ? `: ${problem.message}` : '';
      throw new MngrFargateError(
        'unreachable',
        `no SSH answer from host ${host.name} through Session Manager within ${seconds} s${because}`,
        { cause: problem ?? error },
      );
    }
  }

  addressFor({ address }: Host): HostAddress | null {
    return address;
  }

  routeTo(): Promise<Route> {
    return Promise.resolve('session');
  }

  async open(host: Host, signal?: AbortSignal): Promise<Duplex> {
    const session = await this.openSession(await this.targetOf(host, signal), signal);
    return session.stream;
  }

  async close(): Promise<void> {
    await Promise.all([...this.sessions].map((session) => session.close()));
  }

  /** Waits until the agent of ECS Exec in the host can be called. Throws `unreachable` if it never will. */
  targetOf({ name, taskArn }: Pick<Host, 'name' | 'taskArn'>, signal?: AbortSignal): Promise<string> {
    return this.parts.watch.until(
      taskArn,
      (task) => {
        const target = sessionTargetOf(task, this.parts.config.container_name);
        if (typeof target === 'string') return target;
        if (!target.lasting) return undefined;
        throw new MngrFargateError(
          'unreachable',
          `host ${name} can't be reached through Session Manager: ${target.problem}`,
          { hint: 'destroy it and create it again, or open port 22 to this machine (context key `sshCidr`)' },
        );
      },
      signal,
    );
  }

  /** Whether the host has an agent that can be called, now or in a moment. */
  async isPossible(host: Host, signal?: AbortSignal): Promise<boolean> {
    try {
      await this.targetOf(host, signal);
      return true;
    } catch (error) {
      if (signal?.aborted) throw error;
      return false;
    }
  }

  /** A session in which sshd doesn't answer is replaced by another: sshd may still be starting. */
  private async firstLogin(
    target: string,
    login: { readonly name: string; readonly privateKey: string; readonly hostKey: HostKeyPolicy },
    signal: AbortSignal,
    onProblem: (error: MngrFargateError) => void = () => undefined,
  ): Promise<HostChannel> {
    for (let waitMs = FIRST_RETRY_MS; ; waitMs = Math.min(2 * waitMs, LAST_RETRY_MS)) {
      try {
        return await this.logIn(target, login, signal);
      } catch (error) {
        if (!isNotYet(error)) throw error;
        onProblem(error);
        await pause(waitMs, `waiting for SSH on ${login.name}`, signal);
      }
    }
  }

  private async logIn(
    target: string,
    {
      name,
      privateKey,
      hostKey,
    }: { readonly name: string; readonly privateKey: string; readonly hostKey: HostKeyPolicy },
    signal: AbortSignal,
  ): Promise<HostChannel> {
    const session = await this.openSession(target, signal);
    const peer = `${name} through Session Manager`;
    const attempt = awaitGreeting(session.stream, { peer, timeoutMs: GREETING_TIMEOUT_MS });
    try {
      const greeting = await orAborted(attempt.greeting, `waiting for SSH at ${peer}`, signal);
      return await logIn(greeting, { user: SSH_USER, privateKey, hostKey, signal });
    } catch (error) {
      attempt.abandon();
      await session.close();
      if (isMngrFargateError(error)) throw error;
      throw new MngrFargateError('unreachable', `no SSH server answered at ${peer}: ${(error as Error).message}`, {
        cause: error,
      });
    }
  }

  private async openSession(target: string, signal?: AbortSignal): Promise<SshSession> {
    const [{ openSession }, ssm] = await Promise.all([import('../../session/index.js'), this.parts.ssm()]);
    // The signal is for opening alone: openSession would end the session with it whenever it fires.
    const opening = new AbortController();
    const stop = (): void => opening.abort(signal?.reason);
    signal?.addEventListener('abort', stop, { once: true });
    if (signal?.aborted) stop();
    try {
      const session = await openSession({
        request: { kind: 'ssh', target, port: SSH_PORT },
        clients: { ssm },
        signal: opening.signal,
      });
      this.sessions.add(session);
      // Also an end that the other side began is waited for: what ends it at the service may be on its way.
      const forget = (): void => void session.close().finally(() => this.sessions.delete(session));
      session.ended.then(forget, forget);
      return session;
    } finally {
      signal?.removeEventListener('abort', stop);
    }
  }

  /** The host's addresses, for people and for the pinned key. A host is in use without them. */
  private async placeOf(taskArn: string, signal: AbortSignal): Promise<Omit<ReachedHost, 'channel'>> {
    const task = await this.parts.watch.until(taskArn, (seen) => seen, signal);
    const id = networkInterfaceIdOf(task);
    const addresses =
      id === undefined
        ? undefined
        : await orAborted(this.parts.interfaces.find(id), 'looking up an address', signal).catch(() => undefined);
    return {
      addresses: addressesOf(task, this.parts.config, addresses),
      publicIp: addresses?.publicIp ?? null,
      privateIp: addresses?.privateIp ?? null,
      ipv6: addresses?.ipv6 ?? null,
    };
  }
}
