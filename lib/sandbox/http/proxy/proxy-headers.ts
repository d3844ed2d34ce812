import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { SECRET_HEADER } from '../authentication';

/** What belongs to one connection and is not passed on (RFC 9110, section 7.6.1). */
const HOP_BY_HOP = [
  'connection',
  'keep-alive',
  'proxy-authenticate',
  'proxy-authorization',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
];

/** What an answer would say about this service's whole host, which isn't the sandbox's to say. */
const ABOUT_THE_HOST = [
  'strict-transport-security',
  'public-key-pins',
  'clear-site-data',
  'alt-svc',
  'nel',
  'report-to',
  'reporting-endpoints',
  'service-worker-allowed',
  'set-cookie2',
  'sourcemap',
];

/**
 * A page of a sandbox gets an origin of its own: it can read neither what the service's page keeps nor its cookies, and its
 * calls to the API are those of a stranger.
 */
const PAGE_POLICY = 'sandbox allow-scripts allow-forms allow-modals allow-popups allow-downloads allow-pointer-lock';

/** How a request got here: what the sandbox is told about it, and what it must not see. */
export interface ProxyPlace {
  readonly port: number;
  /** The path in front of the sandbox's own paths. */
  readonly prefix: string;
  /** True where the key came in `Authorization`, which then isn't the sandbox's. */
  readonly authorizationIsOurs: boolean;
  /** Whether pages of any origin may read the answer: those of the sandbox have none. */
  readonly anyOrigin: boolean;
  readonly protocol: string;
}

/** The headers of a request, for the server in the sandbox. */
export function requestHeaders(request: IncomingMessage, place: ProxyPlace): [string, string][] {
  const dropped = droppedNames(request.headers, [SECRET_HEADER, 'host', 'content-length', 'expect']);
  if (place.authorizationIsOurs) dropped.add('authorization');
  const headers: [string, string][] = [];
  for (const [name, value] of pairsOf(request.rawHeaders)) {
    const lower = name.toLowerCase();
    if (dropped.has(lower) || lower.startsWith('x-forwarded-')) continue;
    if (lower === 'cookie' && place.authorizationIsOurs) continue;
    headers.push([name, lower === 'origin' ? ownOrigin(value, request, place) : value]);
  }
  headers.push(['Host', `localhost:${place.port}`]);
  if (request.headers['content-length'] !== undefined) {
    headers.push(['Content-Length', request.headers['content-length']]);
  } else if (request.headers['transfer-encoding'] !== undefined) headers.push(['Transfer-Encoding', 'chunked']);
  headers.push(['X-Forwarded-Host', request.headers.host ?? ''], ['X-Forwarded-Proto', place.protocol]);
  headers.push(['X-Forwarded-Prefix', place.prefix]);
  return headers;
}

/** A page of this server is one of its own to the server in the sandbox; so is one of the sandbox, which has no origin. */
function ownOrigin(origin: string, request: IncomingMessage, { port }: ProxyPlace): string {
  const isOurs = origin === 'null' || (URL.canParse(origin) && new URL(origin).host === request.headers.host);
  return isOurs ? `http://localhost:${port}` : origin;
}

/** The headers of the sandbox's answer, for the client. */
export function answerHeaders(answer: IncomingMessage, place: ProxyPlace): [string, string][] {
  const dropped = droppedNames(answer.headers, ABOUT_THE_HOST);
  const headers: [string, string][] = [];
  for (const [name, value] of pairsOf(answer.rawHeaders)) {
    const lower = name.toLowerCase();
    if (dropped.has(lower)) continue;
    if (lower === 'set-cookie') headers.push([name, cookieBelow(value, place.prefix)]);
    else if (lower === 'location' || lower === 'content-location') headers.push([name, locationBelow(value, place)]);
    else headers.push([name, value]);
  }
  headers.push(...pagePolicy(), ['Referrer-Policy', 'no-referrer']);
  if (place.anyOrigin && answer.headers['access-control-allow-origin'] === undefined) {
    headers.push(['Access-Control-Allow-Origin', '*']);
  }
  return headers;
}

export const pagePolicy = (): [string, string][] => [
  ['Content-Security-Policy', PAGE_POLICY],
  ['X-Content-Type-Options', 'nosniff'],
];

function droppedNames(headers: IncomingHttpHeaders, more: readonly string[]): Set<string> {
  const named = headers.connection?.split(',').map((name) => name.trim().toLowerCase()) ?? [];
  return new Set([...HOP_BY_HOP, ...more, ...named]);
}

function* pairsOf(raw: readonly string[]): Generator<[string, string]> {
  for (let index = 0; index + 1 < raw.length; index += 2) yield [raw[index] as string, raw[index + 1] as string];
}

/** A cookie of a sandbox comes back to its own paths alone. */
function cookieBelow(cookie: string, prefix: string): string {
  const [pair = '', ...attributes] = cookie.split(';');
  const kept = attributes.filter((attribute) => !/^\s*(?:path|domain)\s*(?:=|$)/i.test(attribute));
  return [pair, ...kept, ` Path=${prefix}/`].join(';');
}

/** Where the sandbox sends its client, below the prefix if it means itself. */
function locationBelow(location: string, { port, prefix }: ProxyPlace): string {
  if (location.startsWith('/') && !location.startsWith('//')) return prefix + location;
  const own = new RegExp(`^https?://(?:localhost|127\\.0\\.0\\.1):${port}(?=/|$)`, 'i');
  return own.test(location) ? prefix + location.replace(own, '') : location;
}
