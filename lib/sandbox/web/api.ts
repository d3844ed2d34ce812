import type { ApiError as ErrorBody, Cost, Diagnostics, Entry, Session, SandboxEvent } from './model';

/** An answer that is an error, in the words of the service. */
export class ApiProblem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly suggestion: string | undefined,
  ) {
    super(detail);
  }
}

interface Call {
  readonly method?: string;
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly json?: unknown;
  readonly body?: BodyInit;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
}

/** The calls that the page makes. The key goes into a header, never into a URL. */
export class Api {
  constructor(private readonly key: string) {}

  async send(path: string, { method = 'GET', query = {}, json, body, headers, signal }: Call = {}): Promise<Response> {
    const url = new URL(path, location.origin);
    for (const [name, value] of Object.entries(query))
      if (value !== undefined) url.searchParams.set(name, String(value));
    let response: Response;
    try {
      response = await fetch(url, {
        method,
        signal,
        headers: {
          'x-sandbox-secret': this.key,
          ...(json === undefined ? {} : { 'content-type': 'application/json' }),
          ...headers,
        },
        body: json === undefined ? body : JSON.stringify(json),
      });
    } catch (error) {
      if (signal?.aborted) throw error;
      throw new ApiProblem(0, 'unreachable', 'the service does not answer', 'check that it runs, and try again');
    }
    if (!response.ok) throw await problemOf(response);
    return response;
  }

  async json<T>(path: string, call?: Call): Promise<T> {
    return (await (await this.send(path, call)).json()) as T;
  }

  async sessions(): Promise<readonly Session[]> {
    return (await this.json<{ sessions: Session[] }>('/sandbox', { query: { limit: 200 } })).sessions;
  }

  create(request: { readonly id?: string; readonly ttl_seconds?: number }): Promise<Session> {
    return this.json('/sandbox', { method: 'POST', json: { ...request, wait: false } });
  }

  session(id: string): Promise<Session> {
    return this.json(of(id));
  }

  destroy(id: string): Promise<unknown> {
    return this.json(of(id), { method: 'DELETE' });
  }

  diagnostics(id: string): Promise<Diagnostics> {
    return this.json(`${of(id)}/diagnostics`);
  }

  cost(id: string): Promise<Cost> {
    return this.json(`${of(id)}/cost`);
  }

  exec(id: string, cmd: string): Promise<SandboxEvent> {
    return this.json(`${of(id)}/exec`, { method: 'POST', json: { cmd, timeout_seconds: 24 * 3600 } });
  }

  event(id: string, seq: number): Promise<SandboxEvent> {
    return this.json(`${of(id)}/events/${seq}`);
  }

  async history(
    id: string,
    afterSeq: number,
  ): Promise<{ readonly events: SandboxEvent[]; readonly has_more: boolean }> {
    return this.json(`${of(id)}/history`, { query: { after_seq: afterSeq, limit: 200 } });
  }

  async signal(id: string, seq: number, signal: string): Promise<void> {
    await this.send(`${of(id)}/events/${seq}/signal`, { method: 'POST', json: { signal } });
  }

  async list(id: string, path: string): Promise<readonly Entry[]> {
    return (await this.json<{ entries: Entry[] }>(`${of(id)}/fs/list`, { query: { path } })).entries;
  }

  async upload(id: string, path: string, body: Blob): Promise<void> {
    await this.send(`${of(id)}/fs/raw`, { method: 'PUT', query: { path }, body });
  }

  async download(id: string, path: string): Promise<Response> {
    return this.send(`${of(id)}/fs/raw`, { query: { path } });
  }

  async makeDirectory(id: string, path: string): Promise<void> {
    await this.send(`${of(id)}/fs/mkdir`, { method: 'POST', json: { path } });
  }

  async remove(id: string, path: string, recursive: boolean): Promise<void> {
    await this.send(`${of(id)}/fs`, { method: 'DELETE', json: { path, recursive } });
  }

  /** A word for one URL of this sandbox, good for a minute: for downloads and WebSockets, which can't send a header. */
  async ticket(id: string): Promise<string> {
    return (await this.json<{ ticket: string }>(`${of(id)}/tickets`, { method: 'POST' })).ticket;
  }
}

export const of = (id: string): string => `/sandbox/${encodeURIComponent(id)}`;

async function problemOf(response: Response): Promise<ApiProblem> {
  const body = (await response.json().catch(() => ({}))) as Partial<ErrorBody>;
  const detail = body.detail ?? `the service answered ${response.status}`;
  return new ApiProblem(response.status, body.error ?? 'failed', detail, body.suggestion);
}
