/** An answer of the API, read whole. */
export interface ApiAnswer {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** Undefined if it isn't JSON. */
  readonly json: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** Calls of the API over HTTP, as a client makes them that knows nothing of it. */
export class ApiClient {
  constructor(
    readonly url: string,
    readonly key: string,
  ) {}

  get = (path: string, headers?: Record<string, string>): Promise<ApiAnswer> =>
    this.send('GET', path, undefined, headers);
  post = (path: string, body?: unknown, headers?: Record<string, string>): Promise<ApiAnswer> =>
    this.send('POST', path, body, headers);
  patch = (path: string, body?: unknown): Promise<ApiAnswer> => this.send('PATCH', path, body);
  delete = (path: string, body?: unknown): Promise<ApiAnswer> => this.send('DELETE', path, body);

  async send(method: string, path: string, body?: unknown, headers: Record<string, string> = {}): Promise<ApiAnswer> {
    const isJson = body !== undefined && typeof body !== 'string' && !Buffer.isBuffer(body);
    const response = await fetch(this.url + path, {
      method,
      redirect: 'manual',
      headers: {
        'x-sandbox-secret': this.key,
        ...(isJson ? { 'content-type': 'application/json' } : {}),
        ...headers,
      },
      ...(body === undefined ? {} : { body: isJson ? JSON.stringify(body) : (body as string) }),
    });
    const text = await response.text();
    const { status } = response;
    const type = response.headers.get('content-type') ?? '';
    return {
      status,
      headers: response.headers,
      text,
      json: type.startsWith('application/json') && text !== '' ? JSON.parse(text) : undefined,
    };
  }

  /** A key of another tenant. */
  async newKey(name: string, more: object = {}): Promise<ApiClient> {
    const { json } = await this.post('/keys', { name, ...more });
    return new ApiClient(this.url, json.key);
  }

  /** A new sandbox's path. */
  async sandbox(body: object = {}): Promise<string> {
    const { status, json, text } = await this.post('/sandbox', body);
    if (status !== 201) throw new Error(`no sandbox: ${status} ${text}`);
    return `/sandbox/${encodeURIComponent(json.id)}`;
  }

  /** The finished event of a command. */
  async run(sandbox: string, body: object): Promise<ApiAnswer['json']> {
    return this.ended(sandbox, await this.post(`${sandbox}/exec`, body));
  }

  /** The finished event of an answer that took a command on. */
  async ended(sandbox: string, submitted: ApiAnswer): Promise<ApiAnswer['json']> {
    if (submitted.status !== 202) throw new Error(`not taken on: ${submitted.status} ${submitted.text}`);
    for (;;) {
      const { status, json } = await this.get(`${sandbox}/events/${submitted.json.seq}?wait=30`);
      if (status === 200) return json;
    }
  }

  /** A stream of server-sent events, piece by piece. Ends when the connection does. */
  async *events(
    path: string,
    headers: Record<string, string> = {},
    signal?: AbortSignal,
  ): AsyncGenerator<ServerSentEvent> {
    const response = await fetch(this.url + path, { headers: { 'x-sandbox-secret': this.key, ...headers }, signal });
    if (response.status !== 200 || response.body === null)
      throw new Error(`${response.status}: ${await response.text()}`);
    let text = '';
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream()) as unknown as AsyncIterable<string>) {
      text += chunk;
      for (let end = text.indexOf('\n\n'); end !== -1; end = text.indexOf('\n\n')) {
        const lines = text.slice(0, end).split('\n');
        text = text.slice(end + 2);
        const field = (name: string) => lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2);
        const data = field('data');
        if (data !== undefined) yield { id: field('id'), event: field('event') ?? '', data: JSON.parse(data) };
      }
    }
  }
}

export interface ServerSentEvent {
  readonly id: string | undefined;
  readonly event: string;
  readonly data: any; // eslint-disable-line @typescript-eslint/no-explicit-any
}

/** The bytes of a stream's message. */
export const bytesOf = ({ data }: ServerSentEvent): Buffer =>
  data.b64 === undefined ? Buffer.from(data.text ?? '') : Buffer.from(data.b64, 'base64');
