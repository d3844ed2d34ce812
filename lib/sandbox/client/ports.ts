import { UsageError } from './errors';
import type { Http } from './http';

export interface PortLink {
  /** Opens this port of this sandbox and nothing else, for everybody who has it. */
  readonly url: string;
  /** The same without the service's address. */
  readonly path: string;
  /** Unix milliseconds. */
  readonly expiresAt: number;
}

/** Servers in a sandbox, reached through the service. */
export class Ports {
  constructor(
    private readonly http: Http,
    private readonly box: string,
  ) {}

  /** A link that needs no key until it expires. Default: the service's time. */
  link(
    port: number,
    { expiresInSeconds, signal }: { readonly expiresInSeconds?: number; readonly signal?: AbortSignal } = {},
  ): Promise<PortLink> {
    return this.http.json<PortLink>({
      method: 'POST',
      path: `${this.box}/ports/${port}/link`,
      json: { expiresInSeconds },
      signal,
    });
  }

  /**
   * A request to a server in the sandbox, with the key. `path` begins with a slash. Whatever that server answers is the
   * result; errors of the service itself come as its answers too.
   */
  async fetch(port: number, path = '/', init: RequestInit = {}): Promise<Response> {
    const { settings } = this.http;
    const base = `${settings.url}${this.box}/ports/${port}`;
    const url = new URL(`${base}${path.startsWith('/') ? path : `/${path}`}`);
    // `..` would lead from the sandbox to the service, and the key goes along.
    if (!url.href.startsWith(`${base}/`))
      throw new UsageError(`the path ${JSON.stringify(path)} leads out of the port`);
    const headers = new Headers(init.headers);
    headers.set('x-sandbox-secret', settings.key);
    return settings.fetch(url, {
      redirect: 'manual',
      ...init,
      headers,
    });
  }
}
