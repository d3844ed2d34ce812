import { UsageError } from './errors';

/** The platform's WebSocket, or that of the package `ws`. Only terminals need one. */
export type WebSocketConstructor = new (url: string) => object;

/** Where the service is, and with which key. */
export interface ConnectionOptions {
  /** Default: the variable MNGR_SANDBOX_URL. */
  readonly url?: string;
  /** Default: the variable SANDBOX_SECRET. */
  readonly key?: string;
  /** Default: the platform's. */
  readonly fetch?: typeof fetch;
  /** Default: the platform's. Node.js has one since version 22; before that, give that of the package `ws`. */
  readonly WebSocket?: WebSocketConstructor;
  /** How often a call that failed for a passing reason is made again. Default 4. */
  readonly retries?: number;
  /** A call whose Retry-After is longer is not made again; its error is thrown at once. Milliseconds, default 20,000. */
  readonly longestRetryMs?: number;
  /** How long a stream that was cut is tried again without a byte of success. Milliseconds, default 120,000. */
  readonly resumeMs?: number;
}

export interface Settings {
  /** Without a slash at its end. */
  readonly url: string;
  readonly key: string;
  readonly fetch: typeof fetch;
  readonly WebSocket: WebSocketConstructor | undefined;
  readonly retries: number;
  readonly longestRetryMs: number;
  readonly resumeMs: number;
}

/** Checks the options and fills in the defaults. Throws UsageError. */
export function settingsOf(options: ConnectionOptions): Settings {
  const url = options.url ?? variable('MNGR_SANDBOX_URL');
  const key = options.key ?? variable('SANDBOX_SECRET');
  if (url === undefined) throw new UsageError('the url of the service is missing: give url, or set MNGR_SANDBOX_URL');
  if (key === undefined) throw new UsageError('the key is missing: give key, or set SANDBOX_SECRET');
  return {
    url: baseUrl(url),
    key: headerValue(key),
    fetch: options.fetch ?? ((...parameters) => fetch(...parameters)),
    WebSocket: options.WebSocket ?? (globalThis as { readonly WebSocket?: WebSocketConstructor }).WebSocket,
    retries: options.retries ?? 4,
    longestRetryMs: options.longestRetryMs ?? 20_000,
    resumeMs: options.resumeMs ?? 120_000,
  };
}

/** Browsers have no environment. */
const variable = (name: string): string | undefined => {
  const { process } = globalThis as {
    readonly process?: { readonly env?: Readonly<Record<string, string | undefined>> };
  };
  return process?.env?.[name] || undefined;
};

function baseUrl(text: string): string {
  const problem = `${JSON.stringify(text)} is not a valid URL of a service: write it like http://127.0.0.1:8000`;
  if (!URL.canParse(text)) throw new UsageError(problem);
  const url = new URL(text);
  if (!/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '') throw new UsageError(problem);
  if (url.username !== '' || url.password !== '') {
    throw new UsageError('the url has a user or a password, which do not belong there: give the key as key');
  }
  return url.href.replace(/\/+$/, '');
}

/** The key itself is in no message. */
function headerValue(key: string): string {
  if (/^[\u0021-\u007e]+$/.test(key)) return key;
  throw new UsageError('the key is empty, or has a space or another character that no key has');
}
