import { randomBytes } from 'node:crypto';
import type { ContainerAgent, SessionTransport } from '../../agent/agent';
import type { SessionKey } from '../../agent/encryption';
import type { SessionPlugin } from '../../agent/plugin';
import type { World } from '../../world';
import { Session } from './session';
import type { SessionDetails } from './session';
import { sessionFaults } from './session-faults';

/** ECS developer guide, "ECS Exec": a session without traffic ends after 20 minutes. Milliseconds. */
const IDLE_TIMEOUT = 20 * 60_000;
const IDLE_MESSAGE = 'Your session timed out due to inactivity and has been terminated.';
/** Milliseconds between looks for idle sessions. */
const IDLE_INTERVAL = 1000;
/** SSM API, DescribeSessions: ended sessions show for 30 days. Milliseconds. */
const HISTORY = 30 * 24 * 3600_000;

/** What a cluster's configuration requires of a session. */
export interface SessionRules {
  readonly key?: SessionKey;
  readonly audit?: SessionTransport['audit'];
}

/** A session's stream, as the calls that start or resume one return it. */
export interface SessionStream {
  readonly sessionId: string;
  readonly streamUrl: string;
  readonly tokenValue: string;
}

/** All sessions, and the agents with which they can be started. */
export class Sessions {
  private readonly sessions = new Map<string, Session>();
  private readonly agents = new Map<string, ContainerAgent>();
  private readonly watching: NodeJS.Timeout;

  constructor(private readonly world: World) {
    this.watching = setInterval(() => this.endIdle(), IDLE_INTERVAL).unref();
  }

  /** An agent has connected to the service or disconnected from it. */
  register(agent: ContainerAgent): void {
    this.agents.set(agent.container.target, agent);
  }

  unregister(agent: ContainerAgent): void {
    if (this.agents.get(agent.container.target) === agent) this.agents.delete(agent.container.target);
  }

  /** The connected agent of a target. */
  agentOf(target: string): ContainerAgent | undefined {
    return this.agents.get(target);
  }

  /** Starts a session; its process starts at once, and its output waits for the client. */
  start(agent: ContainerAgent, plugin: SessionPlugin, details: SessionDetails, rules: SessionRules = {}): Session {
    const { clock, onFault } = this.world;
    const faults = this.world.part(sessionFaults);
    const session = new Session(details, clock, faults);
    this.sessions.set(details.id, session);
    session.attach(
      agent.open(plugin, {
        sessionId: details.id,
        key: rules.key,
        audit: rules.audit,
        workers: faults.current.workers,
        paced: () => faults.current.pauses,
        transmit: (frame) => session.fromAgent(frame),
        failed: (output) => session.end(output),
        onFault,
      }),
    );
    return session;
  }

  find(id: string): Session | undefined {
    return this.sessions.get(id);
  }

  /** Oldest first. */
  all(): Session[] {
    return [...this.sessions.values()];
  }

  /** Cuts every client's connection; the sessions continue. Returns the number of connections. */
  cut(): number {
    const open = this.all().filter(({ connected }) => connected);
    for (const session of open) session.cut();
    return open.length;
  }

  close(): void {
    clearInterval(this.watching);
    for (const session of this.sessions.values()) session.end('');
  }

  private endIdle(): void {
    const now = this.world.clock.now().getTime();
    for (const session of this.sessions.values()) {
      if (session.ended) {
        if (now - (session.endedAt?.getTime() ?? now) > HISTORY) this.sessions.delete(session.details.id);
      } else if (now - session.lastActivity > IDLE_TIMEOUT) session.end(IDLE_MESSAGE);
    }
  }
}

export const sessions = (world: World): Sessions => new Sessions(world);

/** What a session's id ends in: 17 hexadecimal digits. */
export const sessionSuffix = (): string => randomBytes(9).toString('hex').slice(1);

/** A session's stream at the address that the caller has called. `host` is its `Host` header. */
export const streamOf = (session: Session, host: string): SessionStream => ({
  sessionId: session.details.id,
  streamUrl: `ws://${host}/v1/data-channel/${session.details.id}?role=publish_subscribe`,
  tokenValue: session.issueToken(),
});
