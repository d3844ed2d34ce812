import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { SandboxError } from '../model/errors';
import type { Caller } from '../model/types';
import { authenticated } from './authentication';
import { HTTP_LIMITS } from './limits';
import type { RouteCall, RouteContext, RouteSpec } from './route';
import { validated } from './validation';

const NOBODY: Caller = { tenant: '', keyId: '', keyName: '', admin: false };

/** Answers of the API aren't pages, should a browser be made to open one. */
const NO_PAGE = "default-src 'none'; frame-ancestors 'none'; sandbox";

/** Who called a request whose key was checked. */
const callers = new WeakMap<FastifyRequest, Caller>();

export const callerOfRequest = (request: FastifyRequest): Caller | undefined => callers.get(request);

/** Adds the routes below a base path to the server. */
export async function registerRoutes(
  app: FastifyInstance,
  base: string,
  routes: readonly RouteSpec[],
  context: RouteContext,
): Promise<void> {
  await app.register(async (scope) => {
    takeJson(scope);
    for (const spec of routes.filter(({ rawBody }) => rawBody !== true)) add(scope, base, spec, context);
  });
  await app.register(async (scope) => {
    takeAnything(scope);
    for (const spec of routes.filter(({ rawBody }) => rawBody === true)) add(scope, base, spec, context);
  });
}

/** Only JSON, within a time limit. An empty body counts as none. */
function takeJson(scope: FastifyInstance): void {
  const parse = scope.getDefaultJsonParser('error', 'error');
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('application/json', { parseAs: 'string' }, (request, text, done) => {
    if (text === '') done(null, undefined);
    else void parse(request, text as string, done);
  });
  scope.addHook('preParsing', (request, _reply, payload, done) => {
    // A request without a body is never read to its end: its stream or terminal must not be cut for that.
    const { 'content-length': length = '0', 'transfer-encoding': encoding } = request.headers;
    if (encoding === undefined && Number(length) === 0) {
      done(null, payload);
      return;
    }
    const { socket } = request.raw;
    // Who sends a byte a second gets no answer: it would only read it as slowly.
    const timer = setTimeout(() => socket.destroy(), HTTP_LIMITS.jsonBodyMs);
    payload.once('end', () => clearTimeout(timer));
    payload.once('close', () => clearTimeout(timer));
    done(null, payload);
  });
}

function takeAnything(scope: FastifyInstance): void {
  scope.removeAllContentTypeParsers();
  scope.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
}

function add(scope: FastifyInstance, base: string, spec: RouteSpec, context: RouteContext): void {
  scope.route({
    method: spec.method,
    url: base + fastifyPath(spec.path),
    bodyLimit: spec.rawBody === true ? Number.MAX_SAFE_INTEGER : (spec.bodyLimit ?? HTTP_LIMITS.jsonBytes),
    onRequest: async (request, reply) => {
      void reply.header('content-security-policy', NO_PAGE);
      if (spec.access !== 'none') callers.set(request, await authenticated(context, spec, request));
    },
    onResponse: async (request, reply) => {
      if (spec.audited ?? !['GET', 'HEAD'].includes(spec.method)) audit(context, spec, request, reply.statusCode);
    },
    handler: (request, reply) => handle(spec, request, reply),
  });
}

/** `/sandbox/{id}/ports/{port}/{path*}` as Fastify writes it. */
const fastifyPath = (path: string): string => path.replaceAll(/\{\w+\*\}/g, '*').replaceAll(/\{(\w+)\}/g, ':$1');

/** Writes who did what to which sandbox, and how it ended: no contents, no queries. */
export function audit(context: RouteContext, spec: RouteSpec, request: FastifyRequest, status: number): void {
  const caller = callers.get(request);
  if (caller === undefined) return;
  const { id } = (request.params ?? {}) as { id?: string };
  context.service.audit({
    at: Date.now(),
    tenant: caller.tenant,
    keyId: caller.keyId,
    action: spec.operation,
    sessionId: id?.slice(0, 128) ?? null,
    status,
    requestId: request.id,
  });
}

async function handle(spec: RouteSpec, request: FastifyRequest, reply: FastifyReply): Promise<unknown> {
  const signal = untilGone(reply);
  const call: RouteCall<unknown, unknown, unknown> = {
    caller: callers.get(request) ?? NOBODY,
    params: spec.params === undefined ? {} : validated(spec.params, request.params, 'the path'),
    query: queryOf(spec, request),
    body: spec.body === undefined ? noBody(spec, request) : validated(spec.body, request.body ?? {}, 'the body'),
    request,
    reply,
    signal,
    idempotencyKey: idempotencyKeyOf(spec, request),
  };
  try {
    const answer = await spec.handle(call);
    if (answer === undefined) return reply;
    return reply
      .code(answer.status)
      .headers(answer.headers ?? {})
      .send(answer.body);
  } catch (error) {
    if (!signal.aborted || reply.sent) throw error;
    reply.hijack();
    return reply;
  }
}

function queryOf(spec: RouteSpec, request: FastifyRequest): unknown {
  const query = { ...(request.query as Record<string, unknown>) };
  if (spec.access === 'ticket') delete query.ticket;
  if (spec.openQuery === true) return query;
  if (spec.query !== undefined) return validated(spec.query, query, 'the query');
  const [unknown] = Object.keys(query);
  if (unknown !== undefined) {
    throw new SandboxError('bad_request', `${unknown} is not a parameter of this route, which takes none`, {
      field: unknown,
    });
  }
  return query;
}

function noBody(spec: RouteSpec, request: FastifyRequest): undefined {
  const { body } = request;
  if (spec.rawBody === true || body === undefined || body === null) return undefined;
  if (typeof body === 'object' && Object.keys(body).length === 0) return undefined;
  throw new SandboxError('bad_request', 'the body must be empty: this route takes nothing in it');
}

function idempotencyKeyOf(spec: RouteSpec, request: FastifyRequest): string | undefined {
  const key = request.headers['idempotency-key'];
  if (spec.idempotent !== true || key === undefined) return undefined;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw new SandboxError('bad_request', 'Idempotency-Key must be 1 to 255 visible ASCII characters', {
    field: 'Idempotency-Key',
  });
}

/** Fires when the client closes its connection before it has the whole answer. */
function untilGone(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) controller.abort(new Error('the client closed the connection'));
  });
  return controller.signal;
}
