import type { FastifyInstance } from 'fastify';
import { callerOfRequest } from './register';

/** One answered request. The route stands for its path, whose ids and tokens nobody needs in a log. */
export interface AccessLine {
  readonly time: string;
  readonly method: string;
  readonly route: string;
  readonly status: number;
  readonly milliseconds: number;
  readonly requestId: string;
  readonly keyId: string | null;
}

export function accessLog(app: FastifyInstance, write: (line: AccessLine) => void): void {
  app.addHook('onResponse', async (request, reply) => {
    write({
      time: new Date().toISOString(),
      method: request.method,
      route: request.routeOptions.url ?? '(none)',
      status: reply.statusCode,
      milliseconds: Math.round(reply.elapsedTime * 10) / 10,
      requestId: request.id,
      keyId: callerOfRequest(request)?.keyId ?? null,
    });
  });
}
