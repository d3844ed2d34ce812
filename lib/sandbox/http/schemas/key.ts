import * as z from 'zod';
import { integerText, time } from './common';
import { component } from './documented';

const keyName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/, {
  error: 'must be 1 to 64 letters, digits, dots, dashes, underscores or @, and start with a letter or digit',
});

export const createKey = component(
  'CreateKey',
  z.strictObject({
    name: keyName,
    tenant: keyName.optional().meta({ description: 'default: a tenant of its own' }),
    admin: z.boolean().optional(),
    rate: z
      .number()
      .positive()
      .max(1_000_000)
      .optional()
      .meta({ description: 'calls a second; default: the service’s' }),
  }),
);

const fields = {
  id: z.string(),
  name: z.string(),
  tenant: z.string(),
  admin: z.boolean(),
  rate: z.number().nullable(),
  created_at: time,
  last_used_at: time.nullable(),
  revoked_at: time.nullable(),
};

export const key = component('Key', z.object(fields));
export const createdKey = component(
  'CreatedKey',
  z.object({ ...fields, key: z.string().meta({ description: 'shown this once' }) }),
);
export const keyList = z.object({ keys: z.array(key) });

export const auditQuery = z.strictObject({
  limit: integerText({ min: 1, max: 1000 }).optional(),
  cursor: z.string().max(1024).optional(),
});

export const auditPage = component(
  'AuditPage',
  z.object({
    entries: z.array(
      z.object({
        at: time,
        key_id: z.string(),
        action: z.string(),
        session_id: z.string().nullable(),
        status: z.int(),
        request_id: z.string(),
      }),
    ),
    has_more: z.boolean(),
    next_cursor: z.string().nullable(),
  }),
);
