import type { ApiFile, ApiFileList, ApiSearchResult, ApiWrittenFile } from './api-types';
import { bytesOf, textOf, utf8 } from './bytes';
import { UnreachableError } from './errors';
import type { ApiRequest, Body, Http } from './http';
import { backoff, pause, reasonOf } from './pause';
import { serverSentEvents } from './server-sent-events';
import { ticketOf } from './ticket';

interface Call {
  readonly signal?: AbortSignal;
}

/** Permission bits in octal, as text: `"0755"`. */
export type Mode = string;

export interface FileChange {
  readonly type: 'created' | 'changed' | 'removed';
  readonly path: string;
}

/** For bodies and answers that may be of any size. */
const LONG_MS = 24 * 3600 * 1000;
const SILENCE_MS = 45_000;
const LONGEST_BACKOFF_MS = 5_000;
/** A download that was cut so often without a byte is given up. */
const MOST_FAILURES = 5;

/** The files of a sandbox, with the rights of its user. Paths without a leading slash start in /workspace. */
export class Files {
  constructor(
    private readonly http: Http,
    private readonly box: string,
  ) {}

  async read(path: string, options: Call = {}): Promise<Uint8Array> {
    return bytesOf(await this.download(path, options));
  }

  /** As UTF-8. */
  async readText(path: string, options: Call = {}): Promise<string> {
    return textOf(await this.read(path, options));
  }

  /**
   * A file of any size as a stream. A connection that is cut is resumed where it stopped; the stream fails if the file has
   * changed meanwhile.
   */
  async download(
    path: string,
    { start = 0, signal }: Call & { /** First byte. Default 0. */ readonly start?: number } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    const open = (at: number, tag?: string | null): Promise<Response> =>
      this.http.response({
        method: 'GET',
        path: `${this.box}/fs/raw`,
        query: { path },
        headers: at === 0 ? {} : { range: `bytes=${at}-`, ...(tag != null && { 'if-range': tag }) },
        signal,
      });
    const first = await open(start);
    const tag = first.headers.get('etag');
    return streamOf(resumed(first, start, (at) => open(at, tag), signal));
  }

  /** A URL that downloads the file without a key, for a minute: for links in a browser. */
  async downloadUrl(path: string, { signal }: Call = {}): Promise<string> {
    return this.http.url(`${this.box}/fs/raw`, { path, ticket: await ticketOf(this.http, this.box, signal) });
  }

  /** Writes a file whole or not at all, and makes its parent folders. Default mode: the old file's, else 0644. */
  async write(
    path: string,
    data: Body,
    { mode, signal }: Call & { readonly mode?: Mode } = {},
  ): Promise<ApiWrittenFile> {
    return this.http.json<ApiWrittenFile>({
      method: 'PUT',
      path: `${this.box}/fs/raw`,
      query: { path, mode },
      body: typeof data === 'string' ? utf8(data) : data,
      signal,
      timeoutMs: LONG_MS,
    });
  }

  /** Default: /workspace. */
  async list(path?: string, { signal }: Call = {}): Promise<readonly ApiFile[]> {
    return (await this.get<ApiFileList>('list', { path }, signal)).entries;
  }

  /** Of a link, the link itself. */
  stat(path: string, { signal }: Call = {}): Promise<ApiFile> {
    return this.get<ApiFile>('stat', { path }, signal);
  }

  /** Makes its parents too, and a folder that exists is not an error; with `parents` false neither holds. */
  makeDirectory(
    path: string,
    { mode, parents, signal }: Call & { readonly mode?: Mode; readonly parents?: boolean } = {},
  ): Promise<ApiFile> {
    return this.post<ApiFile>('mkdir', { path, mode, parents }, signal);
  }

  move(
    from: string,
    to: string,
    { overwrite, signal }: Call & { readonly overwrite?: boolean } = {},
  ): Promise<ApiFile> {
    return this.post<ApiFile>('move', { from, to, overwrite }, signal);
  }

  changeMode(
    path: string,
    mode: Mode,
    { recursive, signal }: Call & { readonly recursive?: boolean } = {},
  ): Promise<ApiFile> {
    return this.post<ApiFile>('chmod', { path, mode, recursive }, signal);
  }

  /** A folder only with `recursive`. */
  async remove(path: string, { recursive, signal }: Call & { readonly recursive?: boolean } = {}): Promise<void> {
    await this.http.response({ method: 'DELETE', path: `${this.box}/fs`, json: { path, recursive }, signal });
  }

  /** A file or folder as a tar archive, of any size. */
  async downloadTar(
    path: string,
    { gzip, signal }: Call & { readonly gzip?: boolean } = {},
  ): Promise<ReadableStream<Uint8Array>> {
    return bodyOf(
      await this.http.response({ method: 'GET', path: `${this.box}/fs/tar`, query: { path, gzip }, signal }),
    );
  }

  /** Unpacks a tar archive into a folder. */
  async uploadTar(
    path: string,
    archive: Body,
    { gzip, signal }: Call & { readonly gzip?: boolean } = {},
  ): Promise<void> {
    await this.http.response({
      method: 'PUT',
      path: `${this.box}/fs/tar`,
      query: { path, gzip },
      body: archive,
      signal,
      timeoutMs: LONG_MS,
    });
  }

  /** By name (a glob), by content (a regular expression), or both. */
  search(
    what: {
      /** Default: /workspace. */
      readonly path?: string;
      readonly name?: string;
      readonly content?: string;
      readonly limit?: number;
      readonly ignoreCase?: boolean;
    },
    { signal }: Call = {},
  ): Promise<ApiSearchResult> {
    const { ignoreCase, ...query } = what;
    return this.get<ApiSearchResult>('search', { ...query, ignore_case: ignoreCase }, signal);
  }

  /** Changes as they happen. Throws UnreachableError when the connection is cut: what changed since then is not known. */
  async *watch(
    path: string,
    { recursive, signal }: Call & { readonly recursive?: boolean } = {},
  ): AsyncGenerator<FileChange, void> {
    const response = await this.http.response({
      method: 'GET',
      path: `${this.box}/fs/watch`,
      query: { path, recursive },
      signal,
    });
    try {
      for await (const { event, data } of serverSentEvents(bodyOf(response), SILENCE_MS)) {
        if (event !== 'created' && event !== 'changed' && event !== 'removed') continue;
        yield { type: event, path: (JSON.parse(data) as { readonly path: string }).path };
      }
    } catch (error) {
      if (signal?.aborted) throw reasonOf(signal);
      throw new UnreachableError(`the watch of ${path} was cut: ${(error as Error).message}`, { cause: error });
    }
    throw new UnreachableError(`the watch of ${path} was cut`);
  }

  private get<T>(route: string, query: ApiRequest['query'], signal: AbortSignal | undefined): Promise<T> {
    return this.http.json<T>({ method: 'GET', path: `${this.box}/fs/${route}`, query, signal });
  }

  private post<T>(route: string, json: object, signal: AbortSignal | undefined): Promise<T> {
    return this.http.json<T>({ method: 'POST', path: `${this.box}/fs/${route}`, json, signal });
  }
}

/** The bytes of a download, which goes on after a cut. */
async function* resumed(
  first: Response,
  start: number,
  open: (at: number) => Promise<Response>,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void> {
  const length = Number(first.headers.get('content-length') ?? NaN);
  const end = Number.isNaN(length) ? undefined : start + length;
  let at = start;
  let response = first;
  for (let failures = 0; ; failures += 1) {
    let problem: unknown;
    const reader = bodyOf(response).getReader();
    try {
      for (;;) {
        const { done, value } = await reader.read();
        if (done) break;
        at += value.length;
        failures = 0;
        yield value;
      }
      if (end === undefined || at >= end) return;
    } catch (error) {
      if (signal?.aborted) throw reasonOf(signal);
      problem = error;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
    if (end === undefined || failures >= MOST_FAILURES) {
      throw new UnreachableError(`the download was cut at byte ${at}`, { cause: problem });
    }
    await pause(backoff(failures, LONGEST_BACKOFF_MS), signal);
    response = await open(at);
    // 200 answers with the whole file: it is another one now.
    if (at > 0 && response.status !== 206) {
      await response.body?.cancel();
      throw new UnreachableError(`the download was cut at byte ${at}, and the file has changed since: start again`);
    }
  }
}

function streamOf(chunks: AsyncGenerator<Uint8Array, void>): ReadableStream<Uint8Array> {
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const { done, value } = await chunks.next();
      if (done === true) controller.close();
      else controller.enqueue(value);
    },
    async cancel() {
      await chunks.return();
    },
  });
}

function bodyOf({ body }: Response): ReadableStream<Uint8Array> {
  if (body === null) throw new UnreachableError('the answer has no body');
  return body;
}
