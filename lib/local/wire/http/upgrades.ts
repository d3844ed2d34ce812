import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Service } from '../../services/service';
import { AwsError } from '../aws-error';
import type { WireResponse } from '../wire-protocol';
import { plainAnswer } from './plain-answer';
import type { RequestHead } from './request';

/** A request to turn a connection into a WebSocket. */
export interface Upgrade {
  readonly head: RequestHead;
  /** The request, for libraries that do the handshake. */
  readonly message: IncomingMessage;
  readonly socket: Duplex;
  /** What the client sent after its request. */
  readonly firstBytes: Buffer;
}

/** A path at which a service takes WebSocket connections. */
export interface UpgradeRoute {
  /** Matches the whole path; its groups are handed to `open`. */
  readonly path: RegExp;
  /**
   * Does the handshake and takes the connection over. Nothing has been authenticated: the service does it as its API
   * says. Throw AwsError to refuse; the connection is then answered with the error's status and closed.
   */
  open(upgrade: Upgrade, groups: readonly string[]): void | Promise<void>;
}

/** Hands connections to the services that claim their paths. */
export function upgradeHandler(services: readonly Service[]): (upgrade: Upgrade) => Promise<WireResponse | undefined> {
  const routes = services.flatMap(({ upgrades = [] }) => upgrades);
  return async (upgrade) => {
    for (const route of routes) {
      const match = route.path.exec(upgrade.head.path);
      if (match?.[0] !== upgrade.head.path) continue;
      try {
        await route.open(upgrade, match.slice(1));
        return undefined;
      } catch (error) {
        if (error instanceof AwsError) return plainAnswer(error.status, error.message);
        throw error;
      }
    }
    return plainAnswer(404, `no WebSocket is served at ${upgrade.head.path}`);
  };
}
