import type { FastifyRequest } from 'fastify';
import { SandboxError } from '../model/errors';
import type { Caller } from '../model/types';
import type { RouteContext, RouteSpec } from './route';
import { callerOf, readTicket } from './signed-token';

export const SECRET_HEADER = 'x-sandbox-secret';

/** Longer ones are not ours; hashing them would be work for a stranger. */
const MAX_SECRET = 512;

/** The key that a request brings, from either header. */
export function secretOf(request: FastifyRequest): string | undefined {
  const own = request.headers[SECRET_HEADER];
  if (typeof own === 'string') return own;
  const [, token] = /^bearer +(\S+)$/i.exec(request.headers.authorization ?? '') ?? [];
  return token;
}

/** Who calls a route. Throws `unauthorized`, `forbidden` and `rate_limited`. */
export async function authenticated(
  { service }: RouteContext,
  spec: RouteSpec,
  request: FastifyRequest,
): Promise<Caller> {
  const secret = secretOf(request);
  const caller =
    secret === undefined && spec.access === 'ticket'
      ? await ticketHolder(service, request)
      : await keyHolder(service, secret);
  service.admit(caller);
  if (spec.access === 'admin' && !caller.admin) {
    throw new SandboxError('forbidden', 'this key does not belong to an admin', {
      suggestion: 'use a key made with --admin',
    });
  }
  return caller;
}

async function keyHolder(service: RouteContext['service'], secret: string | undefined): Promise<Caller> {
  if (secret === undefined || secret === '') throw new SandboxError('unauthorized', 'there is no key in the request');
  const caller = secret.length > MAX_SECRET ? undefined : await service.authenticate(secret);
  if (caller === undefined) throw new SandboxError('unauthorized', 'the key is not known, or has been revoked');
  return caller;
}

async function ticketHolder(service: RouteContext['service'], request: FastifyRequest): Promise<Caller> {
  const token = (request.query as Record<string, unknown>).ticket;
  if (typeof token !== 'string') throw new SandboxError('unauthorized', 'there is no key and no ticket in the request');
  const ticket = readTicket(service, token);
  const { id } = request.params as { id?: string };
  if (ticket === undefined || ticket.id !== id) {
    throw new SandboxError('unauthorized', 'the ticket is for another sandbox, or has expired', {
      suggestion: 'get a new one with POST /sandbox/{id}/tickets',
    });
  }
  const caller = callerOf(ticket);
  const session = await service.get(caller, ticket.id);
  if (session.generation !== ticket.generation) {
    throw new SandboxError('unauthorized', 'the ticket is for an earlier sandbox with this id', {
      suggestion: 'get a new one with POST /sandbox/{id}/tickets',
    });
  }
  return caller;
}
