import type {
  ApiAuditPage,
  ApiChangeSession,
  ApiCost,
  ApiCreateKey,
  ApiCreateSession,
  ApiCreatedKey,
  ApiDiagnostics,
  ApiEvent,
  ApiHistory,
  ApiKey,
  ApiSession,
  ApiSessionList,
} from './api-types';
import { Command, submitExec } from './command';
import type { ExecOptions } from './command';
import { SessionNotFoundError, UsageError } from './errors';
import { Files } from './files';
import { Git } from './git';
import { Http } from './http';
import { Ports } from './ports';
import { settingsOf } from './settings';
import type { ConnectionOptions } from './settings';
import { Terminal } from './terminal';
import type { TerminalOptions } from './terminal';

interface Call {
  readonly signal?: AbortSignal;
}

export interface ListFilter {
  readonly metadata?: Readonly<Record<string, string>>;
  /** Default: active and stale ones. */
  readonly status?: readonly ApiSession['status'][];
}

/** A host may take minutes, for example when its image is pulled. */
const CREATE_MS = 15 * 60_000;
const PAGE = 100;

/** A sandbox service: what `Sandbox` does, for several sandboxes with one connection, and its keys. */
export class SandboxClient {
  private readonly http: Http;

  /** Throws UsageError for options that are missing or wrong. */
  constructor(options: ConnectionOptions = {}) {
    this.http = new Http(settingsOf(options));
  }

  /** Where the service is. */
  get url(): string {
    return this.http.settings.url;
  }

  /** Creates a sandbox and waits until it is ready, unless `wait` is false. */
  async create({ signal, ...request }: ApiCreateSession & Call = {}): Promise<Sandbox> {
    const info = await this.http.json<ApiSession>({
      method: 'POST',
      path: '/sandbox',
      json: request,
      idempotencyKey: crypto.randomUUID(),
      signal,
      timeoutMs: CREATE_MS,
    });
    return new Sandbox(this.http, info);
  }

  /** The sandbox with this id. Throws SessionNotFoundError. */
  async connect(id: string, { signal }: Call = {}): Promise<Sandbox> {
    return new Sandbox(this.http, await this.http.json<ApiSession>({ method: 'GET', path: pathOf(id), signal }));
  }

  /** All sandboxes of the key, newest first, page by page as they are read. */
  async *list({ metadata = {}, status, signal }: ListFilter & Call = {}): AsyncGenerator<Sandbox, void> {
    const filter = Object.fromEntries(Object.entries(metadata).map(([name, value]) => [`metadata[${name}]`, value]));
    for (let cursor: string | undefined; ;) {
      const query = { ...filter, status: status?.join(','), limit: PAGE, cursor };
      const page: ApiSessionList = await this.http.json({ method: 'GET', path: '/sandbox', query, signal });
      for (const info of page.sessions) yield new Sandbox(this.http, info);
      if (page.nextCursor === null) return;
      cursor = page.nextCursor;
    }
  }

  /** Whether the service answers. */
  async health({ signal }: Call = {}): Promise<void> {
    await this.http.response({ method: 'GET', path: '/health', signal });
  }

  /** Makes a key; for admins. The key itself is shown this once. */
  createKey({ signal, ...request }: ApiCreateKey & Call): Promise<ApiCreatedKey> {
    return this.http.json<ApiCreatedKey>({ method: 'POST', path: '/keys', json: request, signal });
  }

  /** All keys, without the keys themselves; for admins. */
  async listKeys({ signal }: Call = {}): Promise<readonly ApiKey[]> {
    return (await this.http.json<{ readonly keys: readonly ApiKey[] }>({ method: 'GET', path: '/keys', signal })).keys;
  }

  /** By name or id; for admins. Throws KeyNotFoundError. */
  revokeKey(name: string, { signal }: Call = {}): Promise<ApiKey> {
    return this.http.json<ApiKey>({ method: 'DELETE', path: `/keys/${encodeURIComponent(name)}`, signal });
  }

  /** Calls that changed something, newest first. */
  audit({
    signal,
    ...query
  }: { readonly limit?: number; readonly cursor?: string } & Call = {}): Promise<ApiAuditPage> {
    return this.http.json<ApiAuditPage>({ method: 'GET', path: '/audit', query, signal });
  }
}

/** No id is empty, `.` or `..`: a URL would lead elsewhere with them. */
function pathOf(id: string): string {
  if (/^\.{0,2}$/.test(id)) throw new UsageError(`${JSON.stringify(id)} is not a valid id of a sandbox`);
  return `/sandbox/${encodeURIComponent(id)}`;
}

/** One sandbox. `await using` destroys it at the end of its block. */
export class Sandbox implements AsyncDisposable {
  readonly files: Files;
  readonly git: Git;
  readonly ports: Ports;
  private readonly path: string;

  /** @internal Made by `create`, `connect` and `list`. */
  constructor(
    private readonly http: Http,
    private last: ApiSession,
  ) {
    this.path = pathOf(last.id);
    this.files = new Files(http, this.path);
    this.git = new Git(http, this.path);
    this.ports = new Ports(http, this.path);
  }

  /** Creates a sandbox and waits until it is ready. */
  static create(options: ApiCreateSession & ConnectionOptions & Call = {}): Promise<Sandbox> {
    const [connection, request] = divided(options);
    return new SandboxClient(connection).create(request);
  }

  /** The sandbox with this id. Throws SessionNotFoundError. */
  static connect(id: string, options: ConnectionOptions & Call = {}): Promise<Sandbox> {
    return new SandboxClient(options).connect(id, options);
  }

  /** All sandboxes of the key, newest first. */
  static list(options: ListFilter & ConnectionOptions & Call = {}): AsyncGenerator<Sandbox, void> {
    return new SandboxClient(options).list(options);
  }

  get id(): string {
    return this.last.id;
  }

  /** As it was when it was last asked for. */
  get info(): ApiSession {
    return this.last;
  }

  /** As it is now. */
  async refresh({ signal }: Call = {}): Promise<ApiSession> {
    this.last = await this.http.json<ApiSession>({ method: 'GET', path: this.path, signal });
    return this.last;
  }

  /** Changes its time to live and its metadata; a member that is null is removed. */
  async change({ signal, ...change }: ApiChangeSession & Call): Promise<ApiSession> {
    this.last = await this.http.json<ApiSession>({ method: 'PATCH', path: this.path, json: change, signal });
    return this.last;
  }

  /**
   * Runs a command line in a shell session, whose folder, variables and functions stay, or a program with its arguments, without
   * a shell. Returns at once: `output` streams, `await` gives the result.
   */
  exec(command: string | readonly string[], options: ExecOptions = {}): Command {
    return submitExec(this.http, this.path, command, options);
  }

  /** A command that was started before, by its number. */
  command(seq: number, { signal }: Call = {}): Command {
    return new Command(this.http, this.path, this.event(seq, { signal }), signal);
  }

  /** A terminal: a login shell, or a command. */
  terminal(options: TerminalOptions = {}): Terminal {
    return new Terminal(this.http, this.path, options);
  }

  /** One event: a command as it is now. */
  event(seq: number, { signal }: Call = {}): Promise<ApiEvent> {
    return this.http.json<ApiEvent>({ method: 'GET', path: `${this.path}/events/${seq}`, signal });
  }

  /** The events after a number in their order, page by page as they are read; also for a while after the sandbox's end. */
  async *events({ afterSeq = 0, signal }: { readonly afterSeq?: number } & Call = {}): AsyncGenerator<ApiEvent, void> {
    for (let after = afterSeq; ;) {
      const query = { after_seq: after, limit: PAGE };
      const page = await this.http.json<ApiHistory>({ method: 'GET', path: `${this.path}/history`, query, signal });
      yield* page.events;
      const last = page.events[page.events.length - 1];
      if (!page.hasMore || last === undefined) return;
      after = last.seq;
    }
  }

  /** Ends a shell session with all its processes. The next command of that name gets a new one. */
  async endShell(name = 'main', { signal }: Call = {}): Promise<void> {
    await this.http.response({ method: 'DELETE', path: `${this.path}/shells/${encodeURIComponent(name)}`, signal });
  }

  /** Why it stopped, and the times of each stage. */
  diagnostics({ signal }: Call = {}): Promise<ApiDiagnostics> {
    return this.http.json<ApiDiagnostics>({ method: 'GET', path: `${this.path}/diagnostics`, signal });
  }

  /** So far, at list prices. */
  cost({ signal }: Call = {}): Promise<ApiCost> {
    return this.http.json<ApiCost>({ method: 'GET', path: `${this.path}/cost`, signal });
  }

  /** Ends it for good. Throws SessionNotFoundError if it is gone already. */
  async destroy({ signal }: Call = {}): Promise<void> {
    await this.http.response({ method: 'DELETE', path: this.path, signal });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.destroy().catch((error: unknown) => {
      if (!(error instanceof SessionNotFoundError)) throw error;
    });
  }
}

/** Options of the connection, and what is for the service. */
function divided({
  url,
  key,
  fetch,
  WebSocket,
  retries,
  longestRetryMs,
  resumeMs,
  ...request
}: ApiCreateSession & ConnectionOptions & Call): [ConnectionOptions, ApiCreateSession & Call] {
  return [{ url, key, fetch, WebSocket, retries, longestRetryMs, resumeMs }, request];
}
