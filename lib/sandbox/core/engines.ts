import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError } from '../../contract/errors';
import type { EngineClient } from '../engine/engine-client';
import { isSandboxError, SandboxError } from '../model/errors';
import type { StoredSession } from '../store';
import type { ServiceSecrets } from './secrets';
import type { SessionHosts } from './session-hosts';

/** Puts the engine on a host if it isn't there, starts it if it doesn't run, and connects to it. */
export type InstallEngine = (
  channel: HostChannel,
  options: { readonly token: string; readonly signal?: AbortSignal },
) => Promise<EngineClient>;

interface Connection {
  readonly engine: EngineClient;
  readonly channel: HostChannel;
}

/** One connection to the engine of each session in use, opened when it is needed and again after it was lost. */
export class Engines {
  private readonly open = new Map<string, Promise<Connection>>();
  private readonly closing = new AbortController();

  constructor(
    private readonly hosts: SessionHosts,
    private readonly secrets: ServiceSecrets,
    private readonly install: InstallEngine,
  ) {}

  /** Throws SandboxError `session_unavailable`. Calls at the same time share one attempt. */
  async get(session: StoredSession): Promise<EngineClient> {
    return (await this.connection(session)).engine;
  }

  async channel(session: StoredSession): Promise<HostChannel> {
    return (await this.connection(session)).channel;
  }

  /** The engine, if there is a connection already. */
  async connected(generation: string): Promise<EngineClient | undefined> {
    const known = await this.open.get(generation)?.catch(() => undefined);
    return known?.channel.lostBecause() === undefined ? known?.engine : undefined;
  }

  async drop(generation: string): Promise<void> {
    const known = this.open.get(generation);
    this.open.delete(generation);
    (await known?.catch(() => undefined))?.engine.close();
  }

  async close(): Promise<void> {
    this.closing.abort();
    await Promise.all([...this.open.keys()].map((generation) => this.drop(generation)));
  }

  private async connection(session: StoredSession): Promise<Connection> {
    const { generation } = session;
    const attempt = this.open.get(generation);
    if (attempt !== undefined) {
      const known = await attempt;
      if (known.channel.lostBecause() === undefined) return known;
      if (this.open.get(generation) === attempt) this.open.delete(generation);
      known.engine.close();
      return this.connection(session);
    }
    const opening = this.connect(session);
    this.open.set(generation, opening);
    opening.catch(() => {
      if (this.open.get(generation) === opening) this.open.delete(generation);
    });
    return opening;
  }

  private async connect(session: StoredSession): Promise<Connection> {
    const { signal } = this.closing;
    try {
      signal.throwIfAborted();
      const channel = await this.hosts.channel(session, signal);
      const engine = await this.install(channel, { token: this.secrets.engineToken(session), signal });
      return { engine, channel };
    } catch (error) {
      if (signal.aborted) throw new SandboxError('shutting_down', 'the service is shutting down', { cause: error });
      throw asUnavailable(error);
    }
  }
}

/** What is wrong with a host or the way to it, for a caller of the API. */
export function asUnavailable(error: unknown): SandboxError {
  if (isSandboxError(error)) return error;
  const { message } = error as Error;
  const hint = isMngrFargateError(error) ? error.hint : undefined;
  return new SandboxError('session_unavailable', `the sandbox can't be reached: ${message}`, {
    cause: error,
    retryAfterSeconds: 2,
    ...(hint !== undefined && { suggestion: hint }),
  });
}

export const isUnavailable = (error: unknown): boolean =>
  (isSandboxError(error) && error.code === 'session_unavailable') ||
  (isMngrFargateError(error) && error.code !== 'usage');
