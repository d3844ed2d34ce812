import { MngrFargateError } from '../contract/errors';
import { isExcluded, isLoopback } from './no-proxy';

/** Where a request goes. */
export interface Destination {
  readonly secure: boolean;
  readonly host: string;
  readonly port: number;
}

export interface Proxy {
  readonly url: URL;
  /** The environment variable that names it. */
  readonly variable: string;
}

/** A proxy's address for messages, without the password that it may hold. */
export const proxyName = ({ url, variable }: Proxy): string => `proxy ${url.protocol}//${url.host} (${variable})`;

/** The value of an environment variable in lower or upper case; as with curl, the lower case one comes first. */
function read(environment: NodeJS.ProcessEnv, name: string): { variable: string; value: string } | undefined {
  for (const variable of [name.toLowerCase(), name.toUpperCase()]) {
    const value = environment[variable]?.trim();
    if (value) return { variable, value };
  }
  return undefined;
}

/** Whether the environment names any proxy at all. */
export const hasProxy = (environment: NodeJS.ProcessEnv): boolean =>
  ['HTTPS_PROXY', 'HTTP_PROXY', 'ALL_PROXY'].some((name) => read(environment, name) !== undefined);

/**
 * The proxy for a destination: HTTPS_PROXY or HTTP_PROXY by its scheme, else ALL_PROXY, unless NO_PROXY excludes it.
 * Loopback addresses never use one. Throws `usage` when the variable holds no address of an HTTP proxy.
 */
export function proxyFor(destination: Destination, environment: NodeJS.ProcessEnv): Proxy | undefined {
  const { secure, host, port } = destination;
  const found = read(environment, secure ? 'HTTPS_PROXY' : 'HTTP_PROXY') ?? read(environment, 'ALL_PROXY');
  if (found === undefined || isLoopback(host)) return undefined;
  if (isExcluded(host, port, read(environment, 'NO_PROXY')?.value ?? '')) return undefined;
  return { url: parsed(found.value, found.variable), variable: found.variable };
}

function parsed(value: string, variable: string): URL {
  const text = value.includes('://') ? value : `http://${value}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url !== undefined && url.hostname !== '' && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  // Not the value itself: it may hold a password.
  throw new MngrFargateError('usage', `${variable} is not the address of an HTTP proxy`, {
    hint: `set it to http://host:port or https://host:port, or unset it; NO_PROXY lists hosts to reach without a proxy`,
  });
}
