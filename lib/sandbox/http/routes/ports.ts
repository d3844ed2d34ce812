import * as z from 'zod';
import { proxy } from '../proxy/proxy';
import type { ProxyPlace } from '../proxy/proxy-headers';
import { BASE_PATHS, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { integerText } from '../schemas/common';
import { SECRET_HEADER } from '../authentication';
import { signToken } from '../signed-token';
import { checkOrigin, isUpgrade } from '../upgrade';
import { pathBehind, redirectToFolder } from './proxied-path';

export const PROXIED_METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;

const port = integerText({ min: 1, max: 65_535 });
const portParams = z.strictObject({ id: z.string(), port });

/** A link lives for at most a day: it can't be taken back. */
const LINK_SECONDS = { default: 3600, max: 24 * 3600 };

/** Servers in a sandbox, for who has its key; links for who hasn't. */
export function portRoutes(context: RouteContext): RouteSpec[] {
  const { service, shape, streams, allowedOrigins } = context;
  const base = BASE_PATHS[shape];
  return [
    route({
      method: 'POST',
      path: '/sandbox/{id}/ports/{port}/link',
      operation: 'createLink',
      tag: 'ports',
      summary: 'A URL that opens this port of this sandbox and nothing else, without a key, until it expires',
      params: portParams,
      body: z.strictObject({
        expires_in_seconds: z
          .int()
          .min(1)
          .max(LINK_SECONDS.max)
          .optional()
          .meta({ description: `default: ${LINK_SECONDS.default}` }),
      }),
      answers: {
        201: { description: 'the link', schema: z.object({ url: z.string(), path: z.string(), expires_at: z.int() }) },
      },
      errors: ['session_not_found'],
      handle: async ({ caller, params, body, request }) => {
        const { id, generation, tenant } = await service.get(caller, params.id);
        const expires = Date.now() + (body.expires_in_seconds ?? LINK_SECONDS.default) * 1000;
        const token = signToken(service, {
          kind: 'link',
          tenant,
          keyId: caller.keyId,
          id,
          generation,
          port: params.port,
          expires,
        });
        const path = `${base}/link/${token}/`;
        const origin = `${request.protocol}://${request.host}`;
        return { status: 201, body: { url: origin + path, path, expires_at: expires } };
      },
    }),
    redirectToFolder({
      path: '/sandbox/{id}/ports/{port}',
      operation: 'openPortFolder',
      params: portParams,
      access: 'key',
    }),
    ...PROXIED_METHODS.map((method) =>
      route({
        method,
        path: '/sandbox/{id}/ports/{port}/{path*}',
        operation: `${method.toLowerCase()}Port`,
        tag: 'ports',
        summary: 'A request or a WebSocket for a server in the sandbox, below this path',
        params: portParams.extend({ '*': z.string() }),
        openQuery: true,
        rawBody: true,
        answers: { 200: { description: 'what the server in the sandbox answers' } },
        errors: ['session_not_found', 'port_unreachable', 'rate_limited'],
        handle: async ({ caller, params, request, reply, signal }) => {
          const prefix = `${base}/sandbox/${encodeURIComponent(params.id)}/ports/${params.port}`;
          const place: ProxyPlace = {
            port: params.port,
            prefix,
            authorizationIsOurs: request.headers[SECRET_HEADER] === undefined,
            anyOrigin: false,
            protocol: request.protocol,
          };
          const path = pathBehind(request, 4 + base.split('/').length - 1);
          if (isUpgrade(request)) checkOrigin(request, allowedOrigins);
          await streams.during(caller, async () => {
            const connection = await service.connectPort(caller, params.id, params.port, { signal });
            await proxy(request, reply, connection, path, place);
          });
          return undefined;
        },
      }),
    ),
  ];
}
