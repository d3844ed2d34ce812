import type { FastifyRequest } from 'fastify';
import { route } from '../route';
import type { RouteSpec } from '../route';

/** The path and query behind so many parts of a request's path, exactly as they were written. */
export function pathBehind(request: FastifyRequest, parts: number): string {
  const url = request.raw.url ?? '/';
  let at = 0;
  for (let part = 0; part < parts + 1; part++) at = url.indexOf('/', part === 0 ? 0 : at + 1);
  return at === -1 ? '/' : url.slice(at);
}

/** Sends `…/8080` to `…/8080/`, below which relative links lead back to the sandbox. */
export const redirectToFolder = (spec: Pick<RouteSpec, 'path' | 'operation' | 'params' | 'access'>): RouteSpec =>
  route({
    ...spec,
    method: 'GET',
    tag: 'ports',
    summary: 'Leads to the same path with / at its end',
    openQuery: true,
    answers: { 308: { description: 'the path with / at its end' } },
    handle: async ({ request }) => {
      const [path = '', query] = (request.raw.url ?? '').split('?', 2);
      return { status: 308, headers: { location: `${path}/${query === undefined ? '' : `?${query}`}` } };
    },
  });
