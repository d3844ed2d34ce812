import { randomUUID } from 'node:crypto';
import fastify from 'fastify';
import type { FastifyInstance, FastifyPluginAsync, FastifyReply } from 'fastify';
import type { SandboxService } from '../model/service';
import { accessLog } from './access-log';
import type { AccessLine } from './access-log';
import { answerBrokenRequest, answerErrors, asSandboxError, errorView } from './errors';
import { HTTP_LIMITS } from './limits';
import { registerRoutes } from './register';
import { BASE_PATHS } from './route';
import type { ApiShape, RouteContext, RouteSpec } from './route';
import { allRoutes } from './routes';
import { StreamSlots } from './stream-slots';
import { routeUpgrades } from './upgrade';

export interface HttpServerOptions {
  readonly service: SandboxService;
  /** Pages and other routes that need no key, at the root. */
  readonly plugins?: readonly FastifyPluginAsync[];
  /** Origins besides the service's own whose pages may open WebSockets. Default: none. */
  readonly allowedOrigins?: readonly string[];
  /** Streams, uploads and WebSockets that may be open at once: of all keys, and of one. */
  readonly streams?: { readonly all: number; readonly ofOneKey: number };
  /** Takes a line for each request that has been answered. Default: no log. */
  readonly onRequest?: (line: AccessLine) => void;
  /** Takes errors that nobody expected. Default: one line on stderr, without the stack. */
  readonly onInternalError?: (error: unknown, requestId: string) => void;
  /** Trusts `X-Forwarded-Proto` and `X-Forwarded-Host` of a load balancer in front. Default false. */
  readonly behindProxy?: boolean;
}

const SHAPES: readonly ApiShape[] = ['documented', 'actual'];

/** The API as a server that doesn't listen yet. It ends with `close()`, which waits for no stream; the service goes on. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const app = fastify({
    logger: false,
    genReqId: ({ headers }) => safeRequestId(headers['x-request-id']) ?? randomUUID(),
    requestIdHeader: false,
    bodyLimit: HTTP_LIMITS.jsonBytes,
    keepAliveTimeout: HTTP_LIMITS.keepAliveMs,
    // What is bounded is the time for headers, for JSON bodies and between the pieces of uploads; answers may take long.
    requestTimeout: 0,
    http: { headersTimeout: HTTP_LIMITS.headersMs, keepAlive: true, connectionsCheckingInterval: 5_000 },
    trustProxy: options.behindProxy ?? false,
    exposeHeadRoutes: false,
    forceCloseConnections: true,
    return503OnClosing: false,
    routerOptions: { maxParamLength: 4096 },
    frameworkErrors: (error, request, reply) => {
      const known = asSandboxError(error);
      void (reply as FastifyReply)
        .code(known.status)
        .type('application/json; charset=utf-8')
        .send(errorView(known, request.id));
    },
    clientErrorHandler: answerBrokenRequest,
  });
  app.server.maxConnections = HTTP_LIMITS.connections;
  app.addHook('onRequest', async (request, reply) => {
    void reply.headers({
      'x-request-id': request.id,
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
    });
  });
  app.addHook('onResponse', async ({ raw }) => {
    if (raw.complete) return;
    const timer = setTimeout(() => raw.socket.destroy(), HTTP_LIMITS.lingerMs).unref();
    raw.once('end', () => clearTimeout(timer));
  });
  if (options.onRequest !== undefined) accessLog(app, options.onRequest);
  answerErrors(app, options.onInternalError ?? sayInternalError);
  const streams = new StreamSlots(options.streams);
  for (const shape of SHAPES) {
    const context: RouteContext = {
      service: options.service,
      shape,
      streams,
      allowedOrigins: options.allowedOrigins ?? [],
    };
    const routes: readonly RouteSpec[] = allRoutes(context);
    await registerRoutes(app, BASE_PATHS[shape], routes, context);
  }
  for (const plugin of options.plugins ?? []) await app.register(plugin);
  routeUpgrades(app);
  await app.ready();
  return app;
}

/** A client's own id for a request, where it can do no harm in a log or a header. */
const safeRequestId = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[A-Za-z0-9._-]{1,128}$/.test(value) ? value : undefined;

function sayInternalError(error: unknown, requestId: string): void {
  console.error(
    `request ${requestId} failed: ${error instanceof Error ? `${error.name}: ${error.message}` : 'unknown'}`,
  );
}
