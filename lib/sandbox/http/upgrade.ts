import { ServerResponse } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SandboxError } from '../model/errors';

/** What a client that asks for a WebSocket has sent, and its connection. */
export interface Upgrade {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the headers. */
  readonly head: Buffer;
}

const upgrades = new WeakMap<IncomingMessage, { readonly socket: Duplex; readonly head: Buffer }>();

/**
 * Sends requests for a WebSocket through the same routes as any other: the same keys, limits and errors, as plain HTTP
 * answers, until a handler takes the connection over.
 */
export function routeUpgrades(app: FastifyInstance): void {
  // The server forgets connections that were handed over, and would wait for them for ever when it closes.
  const open = new Set<Duplex>();
  app.addHook('preClose', async () => open.forEach((socket) => socket.destroy()));
  app.server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    open.add(socket);
    socket.on('error', () => socket.destroy());
    socket.once('close', () => open.delete(socket));
    const response = new ServerResponse(request);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    // A client that is refused may leave its half open.
    response.once('finish', () => (socket as Socket).destroySoon());
    upgrades.set(request, { socket, head });
    app.routing(request, response);
  });
}

export const isUpgrade = (request: FastifyRequest): boolean => upgrades.has(request.raw);

/** Takes the connection over: nothing else answers any more. Throws `upgrade_required` if the client didn't ask for it. */
export function takeUpgrade(request: FastifyRequest, reply: FastifyReply): Upgrade {
  const upgrade = upgrades.get(request.raw);
  if (upgrade === undefined || request.headers.upgrade?.toLowerCase() !== 'websocket') {
    throw new SandboxError('upgrade_required', 'this route is a WebSocket');
  }
  upgrades.delete(request.raw);
  reply.hijack();
  reply.raw.removeAllListeners('finish');
  reply.raw.detachSocket(upgrade.socket as Socket);
  return { request: request.raw, ...upgrade };
}

/** Refuses pages of other sites, whose scripts can open WebSockets to anywhere. Programs send no Origin. */
export function checkOrigin(request: FastifyRequest, allowed: readonly string[]): void {
  const { origin, host } = request.headers;
  if (origin === undefined || allowed.includes(origin)) return;
  if (URL.canParse(origin) && new URL(origin).host === host) return;
  throw new SandboxError('forbidden', 'pages of this Origin may not open WebSockets here', {
    field: 'Origin',
    suggestion: 'open it from the service’s own page, or send no Origin',
  });
}
