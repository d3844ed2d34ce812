import { setTimeout as sleep } from 'node:timers/promises';
import type { AccessRequest } from '../iam/policy';
import type { ExecRequest, TaskProcess } from '../runtimes/runtime';
import { AgentDataChannel } from './data-channel';
import { KeyAgreement } from './encryption';
import type { SessionKey } from './encryption';
import { completeHandshake, shakeHands } from './handshake';
import { SessionFailure } from './plugin';
import type { Dial } from './port-plugin';
import type { PluginSession, SessionPlugin } from './plugin';
import { SessionWorker } from './session-worker';
import { SessionWorkers } from './session-workers';

/** The container that an agent runs in. */
export interface AgentContainer {
  /** `ecs:<cluster>_<task id>_<runtime id>` */
  readonly target: string;
  readonly taskArn: string;
  readonly name: string;
  /** What the agent adds to a command's environment where the container has nothing of that name. */
  readonly environment: Readonly<Record<string, string>>;
  exec(request: ExecRequest): Promise<TaskProcess>;
  /** How a port of the container, or of a host that it reaches, is connected to; see PortOptions. */
  dialer(port: number, host: string | undefined): Promise<Dial>;
  /** True when the role of the container's task allows the request. */
  allows(request: AccessRequest): boolean;
  /** Resolves when the container has ended. Rejects when the signal fires. */
  ended(signal: AbortSignal): Promise<void>;
}

/** What the service gives an agent for a session. */
export interface SessionTransport {
  readonly sessionId: string;
  /** How many sessions the agent runs at once (`SessionWorkersLimit` of its configuration). */
  readonly workers: number;
  /** True if the agent should make its own pauses. */
  readonly paced: () => boolean;
  /** The key that the session is encrypted with; only sessions of commands can be. */
  readonly key: SessionKey | undefined;
  /** Gets what the session has shown, once it is over; undefined if it isn't logged. */
  readonly audit: ((shown: Buffer) => Promise<void>) | undefined;
  /** Hands a frame to the service. */
  readonly transmit: (frame: Buffer) => void;
  /** The session could not be started or continued; the text is for the client. */
  readonly failed: (output: string) => void;
  /** Is told of errors that are the endpoint's own fault. */
  readonly onFault: (error: unknown) => void;
}

/** The exit code of a process that ended with its task. */
const KILLED = 137;
/** Milliseconds within which the end of a task shows after that of its processes. */
const END_SHOWS_WITHIN = 1000;

/** The Session Manager agent of one container: runs sessions in it until it dies. */
export class ContainerAgent {
  private readonly sessions = new Set<AgentSession>();
  private readonly workers = new SessionWorkers();
  private dead = false;

  constructor(readonly container: AgentContainer) {}

  open(plugin: SessionPlugin, transport: SessionTransport): AgentSession {
    const session = new AgentSession(this, plugin, transport);
    this.sessions.add(session);
    void this.run(session, transport.workers).finally(() => this.sessions.delete(session));
    return session;
  }

  private async run(session: AgentSession, workers: number): Promise<void> {
    if (!(await this.workers.take(workers, session.terminated))) return;
    try {
      await session.run();
    } finally {
      this.workers.release();
    }
  }

  get alive(): boolean {
    return !this.dead;
  }

  /** The agent disappears without a message: its sessions send nothing more. */
  die(): void {
    this.dead = true;
    for (const session of this.sessions) session.fallSilent();
  }
}

/** One session as the agent sees it. */
export class AgentSession {
  private readonly channel: AgentDataChannel;
  private readonly terminating = new AbortController();
  private silent = false;
  private clientVersion = '';
  private readonly shown: Buffer[] = [];

  constructor(
    private readonly agent: ContainerAgent,
    private readonly plugin: SessionPlugin,
    private readonly transport: SessionTransport,
  ) {
    this.channel = new AgentDataChannel(transport.transmit);
  }

  /** Takes a frame from the service. */
  receive(frame: Buffer): void {
    this.channel.receive(frame);
  }

  /** Fires when the session is to end before its command does. */
  get terminated(): AbortSignal {
    return this.terminating.signal;
  }

  /** The service ends the session. */
  terminate(): void {
    this.terminating.abort();
  }

  fallSilent(): void {
    this.silent = true;
    this.channel.close();
    this.terminating.abort();
  }

  async run(): Promise<void> {
    const { channel, transport, plugin } = this;
    const { sessionId } = transport;
    const worker = new SessionWorker(this.agent.container);
    try {
      channel.sendState(sessionId, 'Connected');
      worker.start();
      await this.begin();
      await plugin.run(this.pluginSession());
      await channel.drain();
      channel.sendState(sessionId, 'Terminating');
    } catch (error) {
      if (this.silent) return;
      if (!(error instanceof SessionFailure) && !this.terminating.signal.aborted) transport.onFault(error);
      transport.failed(error instanceof Error ? error.message : String(error));
    } finally {
      channel.close();
      worker.end();
      if (!this.silent) await transport.audit?.(Buffer.concat(this.shown)).catch(transport.onFault);
    }
  }

  /** The handshake, if the session needs one. */
  private async begin(): Promise<void> {
    const { plugin, transport, channel } = this;
    if (!plugin.requiresHandshake && transport.key === undefined) return;
    const session = this.pluginSession();
    const startedAt = performance.now();
    const agreement = transport.key === undefined ? undefined : new KeyAgreement(transport.key);
    const { clientVersion, actions } = await shakeHands(
      session,
      plugin,
      agreement === undefined ? [] : [agreement.action],
    );
    this.clientVersion = clientVersion;
    const cipher = await agreement?.agree(session, actions);
    await completeHandshake(session, startedAt, cipher && 'This session is encrypted using AWS KMS.');
    channel.cipher = cipher;
  }

  private pluginSession(): PluginSession {
    const { channel, transport, terminating, clientVersion } = this;
    const { signal } = terminating;
    return {
      channel,
      signal,
      clientVersion,
      get paced() {
        return transport.paced();
      },
      record: (shown) => {
        if (transport.audit !== undefined) this.shown.push(shown);
      },
      send: (payloadType, payload) => channel.send(payloadType, payload),
      pause: async (milliseconds) => {
        if (transport.paced()) await sleep(milliseconds, undefined, { signal }).catch(() => undefined);
      },
      processEnded: async (exitCode) => {
        if (exitCode === KILLED && (await this.endsWithTask())) this.agent.die();
      },
    };
  }

  /** True when the container has ended, or is about to. */
  private async endsWithTask(): Promise<boolean> {
    if (!this.agent.alive || this.terminating.signal.aborted) return false;
    try {
      await this.agent.container.ended(AbortSignal.timeout(END_SHOWS_WITHIN));
      return true;
    } catch {
      return false;
    }
  }
}
