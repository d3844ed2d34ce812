import { randomBytes } from 'node:crypto';

/** mngr's rule for host names: at most 63 letters, digits, `-` and `_`, starting and ending with a letter or digit. */
const HOST_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9])?$/;
const HOST_ID = /^host-[0-9a-f]{32}$/;
/** Provider names become part of `startedBy`, so they use the same characters as host names. */
const PROVIDER_NAME = /^[A-Za-z0-9](?:[A-Za-z0-9_-]{0,47}[A-Za-z0-9])?$/;

export const isHostName = (text: string): boolean => HOST_NAME.test(text);
export const isHostId = (text: string): boolean => HOST_ID.test(text);
export const isProviderName = (text: string): boolean => PROVIDER_NAME.test(text);

/** A new random host id, `host-<32 hex>`. */
export const newHostId = (): string => `host-${randomBytes(16).toString('hex')}`;

/**
 * `startedBy` of a host's task. It is the only exact filter that ListTasks has besides the family, so getting a host by
 * name costs the same in a fleet of any size. At most 128 characters of `[A-Za-z0-9-/_]` (ECS API, RunTask):
 * `mngr/` + 49 + `/` + 63 fit.
 */
export const startedByOf = (provider: string, hostName: string): string => `mngr/${provider}/${hostName}`;

/** The parts of a `startedBy` that startedByOf made, or undefined for any other text. */
export function parseStartedBy(startedBy: string): { provider: string; hostName: string } | undefined {
  const [prefix, provider, hostName, ...rest] = startedBy.split('/');
  if (prefix !== 'mngr' || provider === undefined || hostName === undefined || rest.length > 0) return undefined;
  return isProviderName(provider) && isHostName(hostName) ? { provider, hostName } : undefined;
}
