import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type { CommandRequest, CommandStatus, EngineStatus, Frame, SignalName } from '../../contract/sandboxd';
import { FRAME } from '../../contract/sandboxd';
import type { Call, EngineClient, EnginePiece, FileStatus, SearchMatch, WatchChange } from './engine-client';
import type { Dial, EngineRequest } from './engine-connection';
import { EngineConnection, unavailable } from './engine-connection';
import { FrameReader } from './frames';

/** A client of one engine over connections that `dial` opens. Nothing is opened before the first call. */
export const connectEngine = (dial: Dial, token: string): EngineClient =>
  new HttpEngineClient(new EngineConnection(dial, token));

const commandPath = (id: string): string => `/v1/commands/${encodeURIComponent(id)}`;

/** A query of what is there. */
function query(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) {
    if (value !== undefined && value !== false) parameters.set(name, value === true ? '1' : String(value));
  }
  return `?${parameters.toString()}`;
}

class HttpEngineClient implements EngineClient {
  constructor(private readonly connection: EngineConnection) {}

  status(options?: Call): Promise<EngineStatus> {
    return this.connection.json({ method: 'GET', path: '/v1/status', ...options });
  }

  start(id: string, request: CommandRequest, options?: Call): Promise<CommandStatus> {
    return this.connection.json({ method: 'PUT', path: commandPath(id), body: request, ...signalOf(options) });
  }

  command(id: string, options?: Call & { readonly waitMs?: number }): Promise<CommandStatus> {
    const path = `${commandPath(id)}${query({ wait: options?.waitMs })}`;
    return this.connection.json({ method: 'GET', path, ...signalOf(options) });
  }

  commands(options?: Call): Promise<readonly CommandStatus[]> {
    return this.connection.json({ method: 'GET', path: '/v1/commands', ...signalOf(options) });
  }

  run(
    id: string,
    request: CommandRequest,
    options?: Call & { readonly onTaken?: () => void },
  ): AsyncIterable<EnginePiece> {
    const path = `${commandPath(id)}?follow=1`;
    return this.pieces(id, { method: 'PUT', path, body: request, ...signalOf(options) }, options?.onTaken);
  }

  output(
    id: string,
    options?: Call & { readonly from?: number; readonly follow?: boolean },
  ): AsyncIterable<EnginePiece> {
    const path = `${commandPath(id)}/output?from=${options?.from ?? 0}${options?.follow === false ? '&follow=0' : ''}`;
    return this.pieces(id, { method: 'GET', path, ...signalOf(options) });
  }

  async stdin(id: string, data: Readable, options: Call & { readonly close: boolean }): Promise<void> {
    const path = `${commandPath(id)}/stdin${query({ close: options.close })}`;
    await this.connection.json({ method: 'POST', path, data, ...signalOf(options) });
  }

  async signal(id: string, name: SignalName, options?: Call): Promise<void> {
    const path = `${commandPath(id)}/signal`;
    await this.connection.json({ method: 'POST', path, body: { signal: name }, ...signalOf(options) });
  }

  async resize(id: string, size: { readonly cols: number; readonly rows: number }, options?: Call): Promise<void> {
    const path = `${commandPath(id)}/resize`;
    await this.connection.json({
      method: 'POST',
      path,
      body: { cols: size.cols, rows: size.rows },
      ...signalOf(options),
    });
  }

  async forget(id: string, options?: Call): Promise<void> {
    await this.connection.json({ method: 'DELETE', path: commandPath(id), ...signalOf(options) });
  }

  async endShell(name: string, options?: Call): Promise<void> {
    await this.connection.json({
      method: 'DELETE',
      path: `/v1/shells/${encodeURIComponent(name)}`,
      ...signalOf(options),
    });
  }

  stat(path: string, options?: Call): Promise<FileStatus> {
    return this.file('GET', 'stat', { path }, options);
  }

  list(path: string, options?: Call): Promise<readonly FileStatus[]> {
    return this.file('GET', 'list', { path }, options);
  }

  async read(
    path: string,
    options?: Call & { readonly start?: number; readonly end?: number },
  ): Promise<{ readonly status: FileStatus; readonly data: Readable }> {
    const { start, end } = options ?? {};
    const response = await this.connection.stream({
      method: 'GET',
      path: `/v1/files/content${query({ path, start, end })}`,
      ...signalOf(options),
    });
    const status = JSON.parse(
      Buffer.from(String(response.headers['x-file-status']), 'base64').toString('utf8'),
    ) as FileStatus;
    return { status, data: response };
  }

  write(path: string, data: Readable, options?: Call & { readonly mode?: number }): Promise<FileStatus> {
    return this.file('PUT', 'content', { path, mode: options?.mode }, options, data);
  }

  makeDirectory(
    path: string,
    options?: Call & { readonly mode?: number; readonly parents?: boolean },
  ): Promise<FileStatus> {
    return this.file('POST', 'directory', { path, mode: options?.mode, parents: options?.parents }, options);
  }

  move(from: string, to: string, options?: Call & { readonly overwrite?: boolean }): Promise<FileStatus> {
    return this.file('POST', 'move', { path: from, to, overwrite: options?.overwrite }, options);
  }

  changeMode(path: string, mode: number, options?: Call & { readonly recursive?: boolean }): Promise<FileStatus> {
    return this.file('POST', 'mode', { path, mode, recursive: options?.recursive }, options);
  }

  async remove(path: string, options?: Call & { readonly recursive?: boolean }): Promise<void> {
    await this.file('DELETE', 'content', { path, recursive: options?.recursive }, options);
  }

  pack(path: string, options?: Call & { readonly gzip?: boolean }): Promise<Readable> {
    return this.connection.stream({
      method: 'GET',
      path: `/v1/files/archive${query({ path, gzip: options?.gzip })}`,
      ...signalOf(options),
    });
  }

  async unpack(path: string, data: Readable, options?: Call & { readonly gzip?: boolean }): Promise<void> {
    await this.file('PUT', 'archive', { path, gzip: options?.gzip }, options, data);
  }

  watch(path: string, options?: Call & { readonly recursive?: boolean }): AsyncIterable<WatchChange> {
    return this.lines(`/v1/files/watch${query({ path, recursive: options?.recursive })}`, options);
  }

  search(
    path: string,
    what: { readonly name?: string; readonly content?: string; readonly limit?: number; readonly ignoreCase?: boolean },
    options?: Call,
  ): AsyncIterable<SearchMatch> {
    const { name, content, limit, ignoreCase } = what;
    return this.lines(`/v1/files/search${query({ path, name, content, limit, ignoreCase })}`, options);
  }

  close(): void {
    this.connection.close();
  }

  private file<T>(
    method: string,
    route: string,
    values: Readonly<Record<string, string | number | boolean | undefined>>,
    options: Call | undefined,
    data?: Readable,
  ): Promise<T> {
    const path = `/v1/files/${route}${query(values)}`;
    return this.connection.json({ method, path, ...(data === undefined ? {} : { data }), ...signalOf(options) });
  }

  /** Frames, of which the last is `end`, so that a cut is noticed. */
  private async *pieces(id: string, request: EngineRequest, onAnswer?: () => void): AsyncIterable<EnginePiece> {
    const response = await this.connection.stream(request);
    onAnswer?.();
    const reader = new FrameReader();
    let end: EnginePiece | undefined;
    // Up to the end of the answer, so that the connection can be used again.
    for await (const bytes of uncut(response)) {
      for (const frame of reader.push(bytes)) {
        const piece = pieceOf(frame);
        if (piece?.type === 'end') end = piece;
        else if (piece !== undefined) yield piece;
      }
    }
    if (end === undefined) throw unavailable(`the output of ${id} was cut off: read on from the last offset`);
    yield end;
  }

  /** JSON lines, of which the last is `{"end": true}`, so that a cut is noticed. Empty lines keep the connection alive. */
  private async *lines<T>(path: string, options: Call | undefined): AsyncIterable<T> {
    const response = await this.connection.stream({ method: 'GET', path, ...signalOf(options) });
    let rest = '';
    let whole = false;
    const decoder = new TextDecoder();
    for await (const bytes of uncut(response)) {
      const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) {
        if (line === '') continue;
        const value = JSON.parse(line) as { readonly end?: boolean };
        if (value.end === true) whole = true;
        else yield value as Awaited<T>;
      }
    }
    if (!whole) throw unavailable('the answer of the sandbox was cut off: ask again');
  }
}

function pieceOf({ type, offset, payload }: Frame): EnginePiece | undefined {
  switch (type) {
    case FRAME.stdout:
    case FRAME.stderr:
      return { type: type === FRAME.stdout ? 'stdout' : 'stderr', offset, bytes: payload };
    case FRAME.gap:
      return { type: 'gap', offset, length: Number(payload.toString('latin1')) };
    case FRAME.end:
      return { type: 'end', status: JSON.parse(payload.toString('utf8')) as CommandStatus };
    case FRAME.alive:
      return { type: 'alive' };
    default:
      return undefined;
  }
}

const signalOf = (options: Call | undefined): { readonly signal?: AbortSignal } =>
  options?.signal === undefined ? {} : { signal: options.signal };

/** The bytes of an answer. A caller who stops early closes it, and a connection that is lost is an error of its own. */
async function* uncut(response: IncomingMessage): AsyncIterable<Buffer> {
  try {
    for await (const bytes of response) yield bytes as Buffer;
  } catch (error) {
    if ((error as Error).name === 'AbortError') throw error;
    throw unavailable(`the connection to the sandbox was lost: ${(error as Error).message}`, error);
  }
}
