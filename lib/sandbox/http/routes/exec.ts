import type * as z from 'zod';
import { SandboxError } from '../../model/errors';
import { hasEnded } from '../../model/types';
import type { SubmitEvent } from '../../model/types';
import { HTTP_LIMITS } from '../limits';
import { errorView } from '../errors';
import { ok, route } from '../route';
import type { RouteCall, RouteContext, RouteSpec } from '../route';
import { eventParams, integerText, secondsText, sessionParams } from '../schemas/common';
import { errorBody } from '../schemas/error';
import { DEFAULT_TIMEOUT_SECONDS, event, execRequest, history } from '../schemas/event';
import { eventView } from '../views/event-view';
import { submitted } from './submitted';
import * as zod from 'zod';
import { inWorkspace } from './paths';

const DEFAULT_SHELL = 'main';
const HISTORY_LIMIT = { default: 50, max: 1000 };

type ExecBody = z.infer<typeof execRequest>;

/** The command of a request. The payload has neither the variables nor anything else that may be secret. */
function commandOf(body: ExecBody): SubmitEvent {
  const timeoutSeconds = body.timeout_seconds ?? DEFAULT_TIMEOUT_SECONDS;
  const cwd = body.cwd === undefined || body.cwd === null ? undefined : inWorkspace(body.cwd);
  const what = body.cmd === undefined ? { argv: body.argv } : { command: body.cmd, shell: body.shell ?? DEFAULT_SHELL };
  return {
    kind: 'exec_submit',
    payload: {
      ...(body.cmd === undefined ? { argv: body.argv } : { cmd: body.cmd, shell: body.shell ?? DEFAULT_SHELL }),
      ...(cwd === undefined ? {} : { cwd }),
      timeout_seconds: timeoutSeconds,
      ...(body.stdin === 'open' ? { stdin: body.stdin } : {}),
      ...(body.user === undefined ? {} : { user: body.user }),
      ...(body.terminal === undefined ? {} : { terminal: body.terminal }),
    },
    ...what,
    cwd,
    env: body.env ?? undefined,
    timeoutSeconds,
    stdin: body.stdin ?? (body.sync === true ? 'none' : 'offered'),
    user: body.user,
    terminal: body.terminal,
  };
}

export function execRoutes(context: RouteContext): RouteSpec[] {
  const { service, shape } = context;
  return [
    route({
      method: 'POST',
      path: '/sandbox/{id}/exec',
      operation: 'exec',
      tag: 'exec',
      summary: 'Run a command',
      params: sessionParams,
      body: execRequest,
      idempotent: true,
      answers: {
        200: { description: 'with sync: it has ended', schema: event },
        202: { description: 'it is accepted', schema: event },
        408: { description: 'with sync: it is still running after 30 s; wait for its event', schema: errorBody },
      },
      errors: ['session_not_found', 'idempotency_conflict', 'session_unavailable'],
      handle: async (call) => {
        const { caller, params, body, idempotencyKey } = call;
        const event = await service.submit(caller, params.id, commandOf(body), { idempotencyKey });
        return body.sync === true ? waitForEnd(call, event.seq) : submitted(context, event);
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/events/{seq}',
      operation: 'getEvent',
      tag: 'exec',
      summary: 'One event; with wait, when it has ended or the time is up',
      params: eventParams,
      query: zod.strictObject({ wait: secondsText(HTTP_LIMITS.waitSeconds).optional() }),
      answers:
        shape === 'actual'
          ? { 200: { description: 'the event', schema: event } }
          : {
              200: { description: 'it has ended', schema: event },
              202: { description: 'it is pending or running', schema: event },
            },
      errors: ['session_not_found', 'event_not_found'],
      handle: async ({ caller, params, query, signal }) => {
        const waitMs = query.wait === undefined ? undefined : query.wait * 1000;
        const found = await service.event(caller, params.id, params.seq, { waitMs, signal });
        return { status: hasEnded(found) || shape === 'actual' ? 200 : 202, body: eventView(found) };
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/history',
      operation: 'getHistory',
      tag: 'exec',
      summary: 'The events of a sandbox in their order; also for a while after its end',
      params: sessionParams,
      query: zod.strictObject({
        limit: integerText({ min: 1, max: HISTORY_LIMIT.max }).optional(),
        after_seq: integerText({ min: 0 }).optional(),
      }),
      answers: {
        200: { description: 'a page of them', schema: shape === 'actual' ? zod.array(event) : history },
      },
      errors: ['session_not_found'],
      handle: async ({ caller, params, query }) => {
        const page = { limit: query.limit ?? HISTORY_LIMIT.default, afterSeq: query.after_seq ?? 0 };
        const { events, hasMore } = await service.history(caller, params.id, page);
        const views = events.map(eventView);
        return ok(shape === 'actual' ? views : { events: views, has_more: hasMore });
      },
    }),
  ];

  /** The end of a command, or 408 while it goes on. */
  async function waitForEnd(call: RouteCall<{ id: string }, unknown, ExecBody>, seq: number) {
    const { caller, params, signal, request } = call;
    const event = await service.event(caller, params.id, seq, { waitMs: HTTP_LIMITS.syncMs, signal });
    if (hasEnded(event)) return ok(eventView(event));
    const error = new SandboxError(
      'sync_timeout',
      `the command is still running after ${HTTP_LIMITS.syncMs / 1000} s`,
      {
        suggestion: `wait for its end with GET /sandbox/{id}/events/${seq}?wait=30`,
      },
    );
    return { status: 408, body: { ...errorView(error, request.id), seq, status: event.status } };
  }
}
