import * as z from 'zod';
import { openApiDocument } from '../openapi';
import { ok, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';

export function healthRoutes({ shape }: RouteContext, others: readonly RouteSpec[]): RouteSpec[] {
  let document: object | undefined;
  const health = route({
    method: 'GET',
    path: '/health',
    operation: 'health',
    tag: 'service',
    summary: 'Whether the service answers',
    access: 'none',
    openQuery: true,
    answers: { 200: { description: 'it does', schema: z.object({ status: z.literal('ok') }) } },
    handle: async () => ok({ status: 'ok' }),
  });
  const openApi: RouteSpec = route({
    method: 'GET',
    path: '/openapi.json',
    operation: 'openApi',
    tag: 'service',
    summary: 'This document',
    access: 'none',
    openQuery: true,
    answers: { 200: { description: 'an OpenAPI 3.1 document', schema: z.record(z.string(), z.unknown()) } },
    handle: async () => ok((document ??= openApiDocument([...others, health, openApi], shape))),
  });
  return [health, openApi];
}
