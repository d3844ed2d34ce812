import { ok, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { auditPage, auditQuery } from '../schemas/key';

const DEFAULT_ENTRIES = 100;

export function auditRoutes({ service }: RouteContext): RouteSpec[] {
  return [
    route({
      method: 'GET',
      path: '/audit',
      operation: 'getAuditTrail',
      tag: 'keys',
      summary: 'The calls of this key’s tenant that changed something, newest first: no contents, no secrets',
      query: auditQuery,
      answers: { 200: { description: 'a page of them', schema: auditPage } },
      handle: async ({ caller, query }) => {
        const page = await service.auditTrail(caller, { limit: query.limit ?? DEFAULT_ENTRIES, cursor: query.cursor });
        const entries = page.items.map((entry) => ({
          at: entry.at,
          key_id: entry.keyId,
          action: entry.action,
          session_id: entry.sessionId,
          status: entry.status,
          request_id: entry.requestId,
        }));
        return ok({ entries, has_more: page.next !== null, next_cursor: page.next });
      },
    }),
  ];
}
