import * as z from 'zod';
import type { SandboxService } from '../model/service';
import type { Caller } from '../model/types';

/**
 * Texts that the service signs and gives away: they name what they open and until when, so nothing about them is stored, and
 * every replica can check them.
 */
const ticket = z.strictObject({
  kind: z.literal('ticket'),
  tenant: z.string(),
  keyId: z.string(),
  keyName: z.string(),
  id: z.string(),
  generation: z.string(),
  expires: z.int(),
});

const link = z.strictObject({
  kind: z.literal('link'),
  tenant: z.string(),
  keyId: z.string(),
  id: z.string(),
  generation: z.string(),
  port: z.int().min(1).max(65_535),
  expires: z.int(),
});

export type Ticket = z.infer<typeof ticket>;
export type PortLink = z.infer<typeof link>;

export function signToken(service: SandboxService, content: Ticket | PortLink): string {
  const text = Buffer.from(JSON.stringify(content)).toString('base64url');
  return `${text}.${service.sign(text)}`;
}

export const readTicket = (service: SandboxService, token: string): Ticket | undefined => read(service, ticket, token);
export const readLink = (service: SandboxService, token: string): PortLink | undefined => read(service, link, token);

/** Undefined if it isn't ours, is of another kind, or has expired. */
function read<T extends { readonly expires: number }>(
  service: SandboxService,
  schema: z.ZodType<T>,
  token: string,
): T | undefined {
  const dot = token.indexOf('.');
  if (dot < 1 || token.length > 4096) return undefined;
  const text = token.slice(0, dot);
  if (!service.verify(text, token.slice(dot + 1))) return undefined;
  const result = schema.safeParse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  return result.success && result.data.expires > Date.now() ? result.data : undefined;
}

/** Whom a token stands for: the tenant of the key that asked for it, without any right of an admin. */
export const callerOf = ({ tenant, keyId }: Ticket | PortLink): Caller => ({
  tenant,
  keyId,
  keyName: keyId,
  admin: false,
});
