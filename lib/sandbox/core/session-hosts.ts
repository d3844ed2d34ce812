import { createHash } from 'node:crypto';
import type { HostChannel } from '../../contract/channel';
import { isMngrFargateError } from '../../contract/errors';
import type { CreateProgress, Host, Hosts, LogLine } from '../../hosts';
import type { StoredSession } from '../store';

/** User tags of a sandbox's task: the service that it belongs to, and its session. */
export const SANDBOX_TAGS = { service: 'sandbox-service', generation: 'sandbox-generation' } as const;
/** The reaper may stop a host so many seconds after its session should have been destroyed, should the service be gone. */
const REAPER_SLACK_SECONDS = 600;
const NAME_DIGITS = 32;

/** A host name that says nothing about the tenant, and that no other session ever has. */
export const hostNameOf = (tenant: string, id: string, generation: string): string =>
  `sandbox-${createHash('sha256')
    .update(JSON.stringify([tenant, id, generation]))
    .digest('hex')
    .slice(0, NAME_DIGITS)}`;

type Identified = Pick<StoredSession, 'generation' | 'hostName' | 'taskArn'>;

/** The hosts of this service's sessions. Errors are MngrFargateError. */
export class SessionHosts {
  constructor(
    private readonly hosts: Hosts,
    private readonly serviceId: string,
    private readonly startTimeoutSeconds: number,
  ) {}

  /**
   * The session's host, ready for use. Repeatable: a host that an earlier process has launched is finished; where that can't be, it
   * is stopped before another is launched. On failure nothing of it runs, unless the error says so.
   */
  async start(
    session: StoredSession,
    options: {
      /** False if an earlier process may have launched it. */
      readonly isNew: boolean;
      readonly signal: AbortSignal;
      readonly onProgress: (progress: CreateProgress) => void;
    },
  ): Promise<Host> {
    const { signal, onProgress } = options;
    const earlier = options.isNew ? undefined : await this.find(session, signal);
    if (earlier !== undefined && earlier.state !== 'STOPPED') {
      try {
        return await this.hosts.ensureReady(earlier.taskArn, { signal });
      } catch (error) {
        if (signal.aborted) throw error;
        // Its launcher died before it had noted what proves the host. Nothing has run there yet: another one takes its place.
        await this.stop({ ...session, taskArn: earlier.taskArn }, signal);
      }
    }
    try {
      return await this.hosts.create(
        {
          name: session.hostName,
          owner: 'sandbox',
          cpu: session.cpu,
          memory: session.memory,
          ...(session.image !== null && { image: session.image }),
          tags: { [SANDBOX_TAGS.service]: this.serviceId, [SANDBOX_TAGS.generation]: session.generation },
          idleTimeout: 0,
          maxAge: Math.max(60, Math.ceil((session.endsAt - session.createdAt) / 1000) + REAPER_SLACK_SECONDS),
          timeout: this.startTimeoutSeconds,
        },
        { signal, onProgress },
      );
    } catch (error) {
      if (!isMngrFargateError(error) || error.code !== 'already-exists') throw error;
      const mine = await this.find(session, signal);
      if (mine === undefined) throw error;
      return this.hosts.ensureReady(mine.taskArn, { signal });
    }
  }

  /** The host as ECS shows it; undefined if ECS shows none, which is certain. */
  async find(session: Identified, signal?: AbortSignal): Promise<Host | undefined> {
    try {
      return await this.hosts.get(session.taskArn ?? session.hostName, { signal });
    } catch (error) {
      if (isMngrFargateError(error) && error.code === 'not-found') return undefined;
      throw error;
    }
  }

  channel({ taskArn, hostName }: Identified, signal?: AbortSignal): Promise<HostChannel> {
    return this.hosts.openChannel(taskArn ?? hostName, { signal });
  }

  /** Stops the session's task and removes its keys. Does nothing where there is none. */
  async stop({ taskArn, hostName }: Identified, signal?: AbortSignal): Promise<void> {
    try {
      await this.hosts.destroy(taskArn ?? hostName, { signal });
    } catch (error) {
      if (!isMngrFargateError(error) || error.code !== 'not-found') throw error;
    }
  }

  /** Running hosts that carry this service's tag, by their session's generation. */
  async running(signal?: AbortSignal): Promise<readonly { readonly host: Host; readonly generation: string }[]> {
    const hosts = await this.hosts.list({ tags: { [SANDBOX_TAGS.service]: this.serviceId } }, { signal });
    return hosts
      .filter(({ owner, state }) => owner === 'sandbox' && state !== 'STOPPED')
      .map((host) => ({ host, generation: host.tags[SANDBOX_TAGS.generation] ?? '' }));
  }

  async stopEach(hosts: readonly Host[], signal?: AbortSignal): Promise<void> {
    await this.hosts.destroyEach(hosts, { signal });
  }

  logs(taskArn: string, tail: number, signal?: AbortSignal): AsyncIterable<LogLine> {
    return this.hosts.logs(taskArn, { tail, signal });
  }

  close(): Promise<void> {
    return this.hosts.close();
  }
}
