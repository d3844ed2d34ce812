import * as z from 'zod';
import type { Session } from '../../model/types';
import { ok, BASE_PATHS, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { integerText, sessionParams } from '../schemas/common';
import {
  changeSession,
  cost,
  createSession,
  diagnostics,
  session,
  sessionList,
  sessionStatus,
} from '../schemas/session';
import { shellName } from '../schemas/event';
import { documentedAs } from '../schemas/documented';
import { isSandboxError } from '../../model/errors';
import { signToken } from '../signed-token';
import { costView, diagnosticsView, sessionView } from '../views/session-view';
import { validated } from '../validation';
import { metadataFilter } from './metadata-filter';

const LIST_LIMIT = { default: 100, max: 1000 };
const TICKET_MS = 60_000;

const listQuery = z.strictObject({
  status: documentedAs(
    z.union([z.string(), z.array(z.string())]).transform((text) => [text].flat().flatMap((part) => part.split(','))),
    { type: 'array', items: { enum: sessionStatus.options }, description: 'default: active and stale' },
  )
    .pipe(z.array(sessionStatus))
    .optional(),
  limit: integerText({ min: 1, max: LIST_LIMIT.max }).optional(),
  cursor: z.string().min(1).max(1024).optional(),
});

const METADATA_PARAMETER = {
  name: 'metadata',
  in: 'query',
  style: 'deepObject',
  explode: true,
  schema: { type: 'object', additionalProperties: { type: 'string' } },
};

export function sessionRoutes({ service, shape }: RouteContext): RouteSpec[] {
  const view = (found: Session) => sessionView(found, shape);
  const url = (id: string) => `${BASE_PATHS[shape]}/sandbox/${encodeURIComponent(id)}`;
  return [
    route({
      method: 'POST',
      path: '/sandbox',
      operation: 'createSandbox',
      tag: 'sessions',
      summary: 'Create a sandbox',
      body: createSession,
      idempotent: true,
      answers: { 201: { description: 'it is there', schema: session } },
      errors: ['session_exists', 'idempotency_conflict', 'quota_exceeded', 'max_containers', 'start_failed'],
      handle: async ({ caller, body, idempotencyKey, signal }) => {
        const created = await service.create(
          caller,
          {
            id: body.id,
            ttlSeconds: body.ttl_seconds,
            image: body.image ?? undefined,
            cpu: body.cpu,
            memory: body.memory,
            metadata: body.metadata ?? undefined,
            wait: body.wait,
          },
          { idempotencyKey, signal },
        );
        return { status: 201, body: view(created), headers: { location: url(created.id) } };
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox',
      operation: 'listSandboxes',
      tag: 'sessions',
      summary: 'List sandboxes; filter by metadata with metadata[NAME]=VALUE',
      openQuery: true,
      query: listQuery as z.ZodType<unknown>,
      moreParameters: [METADATA_PARAMETER],
      answers: { 200: { description: 'a page of them, newest first', schema: sessionList } },
      handle: async ({ caller, query }) => {
        const given = query as Record<string, unknown>;
        const names = Object.keys(listQuery.shape);
        const metadata = metadataFilter(given, names);
        const known = Object.fromEntries(Object.entries(given).filter(([name]) => names.includes(name)));
        const { status, limit, cursor } = validated(listQuery, known, 'the query');
        const page = await service.list(caller, {
          metadata,
          status: status ?? ['active', 'stale'],
          limit: limit ?? LIST_LIMIT.default,
          cursor,
        });
        return ok({ sessions: page.items.map(view), has_more: page.next !== null, next_cursor: page.next });
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}',
      operation: 'getSandbox',
      tag: 'sessions',
      summary: 'One sandbox; also for a while after its end',
      params: sessionParams,
      answers: { 200: { description: 'the sandbox', schema: session } },
      errors: ['session_not_found'],
      handle: async ({ caller, params }) => ok(view(await service.get(caller, params.id))),
    }),
    route({
      method: 'PATCH',
      path: '/sandbox/{id}',
      operation: 'changeSandbox',
      tag: 'sessions',
      summary: 'Change its time to live or its metadata, or say that it is busy',
      params: sessionParams,
      body: changeSession,
      answers: { 200: { description: 'as it is now', schema: session } },
      errors: ['session_not_found'],
      handle: async ({ caller, params, body }) =>
        ok(
          view(
            await service.change(caller, params.id, {
              ttlSeconds: body.ttl_seconds,
              busySeconds: body.busy_seconds,
              metadata: body.metadata,
            }),
          ),
        ),
    }),
    route({
      method: 'DELETE',
      path: '/sandbox/{id}',
      operation: 'destroySandbox',
      tag: 'sessions',
      summary: 'Destroy a sandbox; its events are kept for a while',
      params: sessionParams,
      answers: {
        200: {
          description: 'it is destroyed',
          schema: shape === 'actual' ? z.object({ status: z.literal('destroyed') }) : session,
        },
      },
      errors: shape === 'actual' ? [] : ['session_not_found'],
      handle: async ({ caller, params }) => {
        if (shape === 'documented') return ok(view(await service.destroy(caller, params.id)));
        await service.destroy(caller, params.id).catch((error: unknown) => {
          if (!isSandboxError(error) || error.code !== 'session_not_found') throw error;
        });
        return ok({ status: 'destroyed' });
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/diagnostics',
      operation: 'diagnoseSandbox',
      tag: 'sessions',
      summary: 'Why it stopped, ECS’s reasons, its last log lines, the times of each stage',
      params: sessionParams,
      answers: { 200: { description: 'what is known', schema: diagnostics } },
      errors: ['session_not_found'],
      handle: async ({ caller, params }) => ok(diagnosticsView(await service.diagnostics(caller, params.id))),
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/cost',
      operation: 'getCost',
      tag: 'sessions',
      summary: 'What it has cost so far',
      params: sessionParams,
      answers: { 200: { description: 'in US dollars', schema: cost } },
      errors: ['session_not_found'],
      handle: async ({ caller, params }) => ok(costView((await service.diagnostics(caller, params.id)).cost)),
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/tickets',
      operation: 'createTicket',
      tag: 'sessions',
      summary: 'A ticket for this sandbox that a browser may put into a URL as ?ticket=, for a minute',
      params: sessionParams,
      answers: {
        201: { description: 'the ticket', schema: z.object({ ticket: z.string(), expires_at: z.int() }) },
      },
      errors: ['session_not_found'],
      handle: async ({ caller, params }) => {
        const { id, generation, tenant } = await service.get(caller, params.id);
        const { keyId, keyName } = caller;
        const expires = Date.now() + TICKET_MS;
        const ticket = signToken(service, { kind: 'ticket', tenant, keyId, keyName, id, generation, expires });
        return { status: 201, body: { ticket, expires_at: expires } };
      },
    }),
    route({
      method: 'DELETE',
      path: '/sandbox/{id}/shells/{name}',
      operation: 'endShell',
      tag: 'exec',
      summary: 'End a shell session with all of its processes; the next command of that name gets a new one',
      params: z.strictObject({ id: z.string(), name: shellName }),
      answers: { 204: { description: 'it has ended' } },
      errors: ['session_not_found'],
      handle: async ({ caller, params }) => {
        await service.endShell(caller, params.id, params.name);
        return { status: 204 };
      },
    }),
  ];
}
