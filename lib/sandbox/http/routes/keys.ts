import * as z from 'zod';
import type { Key } from '../../model/types';
import { ok, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { createdKey, createKey, key, keyList } from '../schemas/key';

const view = (found: Key) => ({
  id: found.id,
  name: found.name,
  tenant: found.tenant,
  admin: found.admin,
  rate: found.rate,
  created_at: found.createdAt,
  last_used_at: found.lastUsedAt,
  revoked_at: found.revokedAt,
});

export function keyRoutes({ service }: RouteContext): RouteSpec[] {
  return [
    route({
      method: 'GET',
      path: '/keys',
      operation: 'listKeys',
      tag: 'keys',
      summary: 'All keys, without the keys themselves; for admins',
      access: 'admin',
      answers: { 200: { description: 'the keys', schema: keyList } },
      errors: ['forbidden'],
      handle: async () => ok({ keys: (await service.listKeys()).map(view) }),
    }),
    route({
      method: 'POST',
      path: '/keys',
      operation: 'createKey',
      tag: 'keys',
      summary: 'Make a key, which is shown this once; for admins',
      access: 'admin',
      body: createKey,
      answers: { 201: { description: 'the key', schema: createdKey } },
      errors: ['forbidden', 'key_exists'],
      handle: async ({ body }) => {
        const made = await service.createKey(body);
        return { status: 201, body: { ...view(made.key), key: made.secret } };
      },
    }),
    route({
      method: 'DELETE',
      path: '/keys/{name}',
      operation: 'revokeKey',
      tag: 'keys',
      summary: 'Revoke a key by its name or id, at once; for admins',
      access: 'admin',
      params: z.strictObject({ name: z.string() }),
      answers: { 200: { description: 'the key, which nobody can use any more', schema: key } },
      errors: ['forbidden', 'key_not_found'],
      handle: async ({ params }) => ok(view(await service.revokeKey(params.name))),
    }),
  ];
}
