import type { Socket } from 'node:net';
import { compareVersions } from './handshake';
import { BasicPort } from './basic-port';
import { MultiplexedPort } from './multiplexed-port';
import { SessionFailure } from './plugin';
import type { PluginSession, SessionPlugin } from './plugin';

/** From this version on, a client forwards ports multiplexed. */
const MULTIPLEXING_CLIENT = '1.1.70';
/** Up to this version, a client is kept alive by smux. */
const LAST_KEPT_ALIVE = '1.2.331.0';

export interface PortOptions {
  /** As the session's document gives them; `type` only where a port is forwarded. */
  readonly properties: Readonly<Record<string, string>> & { readonly portNumber: string };
  /**
   * Finds the port, and returns a function that connects to it. Rejects, in the agent's words, if that is forbidden.
   */
  readonly dialer: () => Promise<Dial>;
}

/** Connects to the port. Rejects with the agent's words for why it can't. */
export type Dial = () => Promise<Socket>;

/** One way of carrying a port's bytes. */
export interface PortCarrier {
  run(session: PluginSession): Promise<void>;
}

/** A port of the container, or of a host that it reaches. */
export class PortPlugin implements SessionPlugin {
  readonly requiresHandshake = true;
  readonly sessionType = 'Port';
  readonly properties: object;

  constructor(private readonly options: PortOptions) {
    this.properties = options.properties;
  }

  async run(session: PluginSession): Promise<void> {
    const dial = await this.options.dialer().catch((error: Error) => {
      throw new SessionFailure(error.message);
    });
    await this.carrierFor(session.clientVersion, dial).run(session);
  }

  private carrierFor(clientVersion: string, dial: Dial): PortCarrier {
    const forwards = this.options.properties.type === 'LocalPortForwarding';
    if (!forwards || compareVersions(clientVersion, MULTIPLEXING_CLIENT) < 0) {
      return new BasicPort(dial, forwards);
    }
    return new MultiplexedPort(dial, compareVersions(clientVersion, LAST_KEPT_ALIVE) <= 0);
  }
}
