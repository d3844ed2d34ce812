import { apiError, SandboxApiError, UnreachableError } from './errors';
import { fromApi, toApi } from './names';
import { backoff, pause, reasonOf } from './pause';
import type { Settings } from './settings';

export type Body = string | Uint8Array | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export type QueryValue = string | number | boolean | undefined;

export interface ApiRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** Begins with a slash; what callers gave in it is encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, QueryValue>>;
  /** An object, sent as JSON with the API's names. */
  readonly json?: object;
  /** Or bytes as they are. */
  readonly body?: Body;
  readonly headers?: Readonly<Record<string, string>>;
  /** Makes a POST safe to repeat. */
  readonly idempotencyKey?: string;
  readonly signal?: AbortSignal;
  /** Time for the headers of the answer, each time. Milliseconds, default 60,000. */
  readonly timeoutMs?: number;
}

const ANSWER_MS = 60_000;
/** Between two tries when the service doesn't say how long. */
const LONGEST_BACKOFF_MS = 5_000;
/** A proxy before the service, or the service on its way up or down: the request has not been worked on. */
const PASSING = [429, 502, 503, 504];

/** The service's API over fetch: the key, repetition of what failed for a passing reason, and errors by their codes. */
export class Http {
  constructor(readonly settings: Settings) {}

  url(path: string, query: ApiRequest['query'] = {}): string {
    const parameters = Object.entries(query).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, String(value)] as [string, string]],
    );
    return `${this.settings.url}${path}${parameters.length === 0 ? '' : `?${new URLSearchParams(parameters).toString()}`}`;
  }

  /** The answer's JSON, with the names of this client. */
  async json<T>(request: ApiRequest): Promise<T> {
    const response = await this.response(request);
    try {
      return fromApi(await response.json()) as T;
    } catch (error) {
      request.signal?.throwIfAborted();
      throw new UnreachableError(`${this.settings.url} answered with something that is no JSON`, { cause: error });
    }
  }

  /**
   * The answer, once it is a good one. Throws SandboxApiError for what the service refuses, UnreachableError when nothing answers,
   * and the signal's reason when it fires.
   */
  async response(request: ApiRequest): Promise<Response> {
    for (let failures = 0; ; failures += 1) {
      try {
        return await this.attempt(request);
      } catch (error) {
        const wait = failures < this.settings.retries ? this.waitAfter(error, request, failures) : undefined;
        if (wait === undefined) throw error;
        await pause(wait, request.signal);
      }
    }
  }

  private async attempt(request: ApiRequest): Promise<Response> {
    const { method, path, query, json, signal } = request;
    signal?.throwIfAborted();
    const overdue = new AbortController();
    const { timeoutMs = ANSWER_MS } = request;
    const timer = setTimeout(() => overdue.abort(), timeoutMs);
    const { body, duplex } = json === undefined ? bodyOf(request.body) : { body: JSON.stringify(toApi(json)) };
    let response: Response;
    try {
      response = await this.settings.fetch(this.url(path, query), {
        method,
        headers: {
          'x-sandbox-secret': this.settings.key,
          ...(json !== undefined && { 'content-type': 'application/json' }),
          ...(request.body !== undefined && { 'content-type': 'application/octet-stream' }),
          ...(request.idempotencyKey !== undefined && { 'idempotency-key': request.idempotencyKey }),
          ...request.headers,
        },
        body,
        signal: signal === undefined ? overdue.signal : AbortSignal.any([signal, overdue.signal]),
        // The key goes to the service alone.
        redirect: 'error',
        ...(duplex !== undefined && { duplex }),
      } as RequestInit);
    } catch (error) {
      if (signal?.aborted) throw reasonOf(signal);
      const problem = overdue.signal.aborted
        ? `did not answer within ${timeoutMs / 1000} s`
        : `cannot be reached: ${causeOf(error)}`;
      throw new UnreachableError(`${this.settings.url} ${problem}`, { cause: error });
    } finally {
      clearTimeout(timer);
    }
    if (response.ok || response.status === 304) return response;
    throw await errorOf(response, this.settings.url);
  }

  /** Milliseconds until another try; undefined if it must not be tried again, or would not help. */
  private waitAfter(error: unknown, request: ApiRequest, failures: number): number | undefined {
    if (!isReplayable(request.body)) return undefined;
    const repeatable = request.method !== 'POST' || request.idempotencyKey !== undefined;
    if (error instanceof UnreachableError) return repeatable ? backoff(failures, LONGEST_BACKOFF_MS) : undefined;
    if (!(error instanceof SandboxApiError) || !PASSING.includes(error.status)) return undefined;
    if (error.status !== 429 && !repeatable) return undefined;
    if (error.retryAfterSeconds !== undefined) {
      const wait = error.retryAfterSeconds * 1000;
      return wait <= this.settings.longestRetryMs ? wait : undefined;
    }
    return error.code === 'shutting_down' || error.code === 'unknown'
      ? backoff(failures, LONGEST_BACKOFF_MS)
      : undefined;
  }
}

const isReplayable = (body: Body | undefined): boolean =>
  body === undefined || typeof body === 'string' || body instanceof Uint8Array || body instanceof Blob;

function bodyOf(body: Body | undefined): { readonly body?: unknown; readonly duplex?: 'half' } {
  if (isReplayable(body)) return { body };
  return { body: body instanceof ReadableStream ? body : streamOf(body as AsyncIterable<Uint8Array>), duplex: 'half' };
}

/** Not every browser has ReadableStream.from. */
function streamOf(chunks: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = chunks[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await iterator.return?.();
    },
  });
}

/** fetch says only "fetch failed"; why is in the cause. */
function causeOf(error: unknown): string {
  const { cause, message } = error as Error;
  if (!(cause instanceof Error)) return message;
  const [first] = (cause as { readonly errors?: readonly Error[] }).errors ?? [cause];
  return first?.message || cause.message || message;
}

interface ErrorBody {
  readonly error?: unknown;
  readonly detail?: unknown;
  readonly suggestion?: string;
  readonly field?: string;
  readonly requestId?: string;
  readonly seq?: number;
}

async function errorOf(response: Response, url: string): Promise<SandboxApiError> {
  const { status, headers } = response;
  const text = await response.text().catch(() => '');
  const retryAfterSeconds = retryAfterOf(headers.get('retry-after'));
  const body = parsed(text);
  if (body === undefined || typeof body.error !== 'string') {
    const detail = `${url} answered with status ${status}, and not as a sandbox service does`;
    return apiError('unknown', detail, { status, retryAfterSeconds });
  }
  const { suggestion, field, seq } = body;
  const requestId = body.requestId ?? headers.get('x-request-id') ?? undefined;
  const detail = typeof body.detail === 'string' ? body.detail : body.error;
  return apiError(body.error, detail, { status, suggestion, field, seq, requestId, retryAfterSeconds });
}

function parsed(text: string): ErrorBody | undefined {
  try {
    const value = fromApi(JSON.parse(text));
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

/** Seconds of a number or a date (RFC 9110, section 10.2.3). */
function retryAfterOf(text: string | null): number | undefined {
  if (text === null || text.trim() === '') return undefined;
  if (/^\s*\d+\s*$/.test(text)) return Number(text);
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, (date - Date.now()) / 1000);
}
