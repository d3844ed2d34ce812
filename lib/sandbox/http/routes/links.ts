import * as z from 'zod';
import { SandboxError } from '../../model/errors';
import { pagePolicy } from '../proxy/proxy-headers';
import { proxy } from '../proxy/proxy';
import type { ProxyPlace } from '../proxy/proxy-headers';
import { BASE_PATHS, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { callerOf, readLink } from '../signed-token';
import { PROXIED_METHODS } from './ports';
import { pathBehind, redirectToFolder } from './proxied-path';

const linkParams = z.strictObject({ token: z.string() });

/** What signed links open: one port of one sandbox. */
export function linkRoutes({ service, shape, streams }: RouteContext): RouteSpec[] {
  const base = BASE_PATHS[shape];
  return [
    redirectToFolder({ path: '/link/{token}', operation: 'openLinkFolder', params: linkParams, access: 'none' }),
    ...PROXIED_METHODS.map((method) =>
      route({
        method,
        path: '/link/{token}/{path*}',
        operation: `${method.toLowerCase()}Link`,
        tag: 'ports',
        summary: 'What a signed link opens',
        params: linkParams.extend({ '*': z.string() }),
        openQuery: true,
        rawBody: true,
        access: 'none',
        answers: { 200: { description: 'what the server in the sandbox answers' } },
        errors: ['unauthorized', 'session_not_found', 'port_unreachable', 'rate_limited'],
        handle: async ({ params, request, reply, signal }) => {
          const link = readLink(service, params.token);
          if (link === undefined) throw expired();
          const caller = callerOf(link);
          service.admit(caller);
          const session = await service.get(caller, link.id);
          if (session.generation !== link.generation) throw expired();
          if (isPreflight(method, request.headers)) return { status: 204, headers: PREFLIGHT };
          const place: ProxyPlace = {
            port: link.port,
            prefix: `${base}/link/${params.token}`,
            authorizationIsOurs: false,
            anyOrigin: true,
            protocol: request.protocol,
          };
          const path = pathBehind(request, 2 + base.split('/').length - 1);
          await streams.during(caller, async () => {
            const connection = await service.connectPort(caller, link.id, link.port, { signal });
            await proxy(request, reply, connection, path, place);
          });
          return undefined;
        },
      }),
    ),
  ];
}

const expired = (): SandboxError =>
  new SandboxError('unauthorized', 'the link is not valid, or has expired', {
    suggestion: 'ask for a new one with POST /sandbox/{id}/ports/{port}/link',
  });

const isPreflight = (method: string, headers: Readonly<Record<string, unknown>>): boolean =>
  method === 'OPTIONS' && headers['access-control-request-method'] !== undefined;

/** Pages of the sandbox have no origin, so each of their calls to their own server is one to another. No cookies go with it. */
const PREFLIGHT = {
  'access-control-allow-origin': '*',
  'access-control-allow-methods': '*',
  'access-control-allow-headers': '*',
  'access-control-max-age': '600',
  ...Object.fromEntries(pagePolicy()),
};
