import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import type { EngineStatus, SignalName } from '../../../lib/contract/sandboxd';
import { SANDBOXD_VERSION, SIGNALS } from '../../../lib/contract/sandboxd';
import type { Commands } from '../commands/commands';
import { Failure, STATUS_OF } from '../failure';
import type { Followed } from '../output/output-stream';
import { sendOutput } from '../output/output-stream';
import type { TokenCheck } from '../token';
import { commandRequest, identifier, jsonBody, queryNumber, size } from './request';

export interface EngineParts {
  readonly token: TokenCheck;
  readonly commands: Commands;
  readonly digest: string;
  readonly startedAt: number;
  /** Ends all commands and then the engine. */
  end(): Promise<void>;
  /** Routes of files, below `/v1/files/`. */
  files(call: Call): Promise<void>;
}

export interface Call {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
}

/** The longest that `?wait` waits. */
const LONGEST_WAIT_MS = 600_000;
/** How long the headers of a silent stream wait for its first bytes. */
const HEADERS_MS = 20;

export function createEngineServer(engine: EngineParts): Server {
  const server = createServer((request, response) => {
    response.on('error', () => undefined);
    answer(engine, request, response).catch((error: unknown) => fail(request, response, error));
  });
  // Streams may be silent for as long as a command is. Only headers must come in time.
  server.requestTimeout = 0;
  server.headersTimeout = 20_000;
  server.keepAliveTimeout = 600_000;
  return server;
}

async function answer(engine: EngineParts, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (!engine.token.allows(request.headers.authorization)) {
    throw new Failure(
      'unauthorized',
      "the request has no valid token: send this engine's own as Authorization: Bearer TOKEN",
    );
  }
  const url = new URL(request.url ?? '/', 'http://sandboxd');
  const call: Call = { request, response, query: url.searchParams };
  const path = url.pathname.split('/').slice(1);
  const [version, kind, name] = path;
  const route = `${request.method} ${kind ?? ''}`;
  if (version !== 'v1') throw noRoute(request);
  if (kind === 'files') return engine.files(call);
  if (kind === 'commands' && name !== undefined) return command(engine.commands, call, decode(name), path[3]);
  if (path.length === 2 && route === 'GET status') return json(response, 200, statusOf(engine));
  if (path.length === 2 && route === 'GET commands') return json(response, 200, engine.commands.list());
  if (path.length === 2 && route === 'POST end') {
    await engine.end();
    return json(response, 200, {});
  }
  if (path.length === 3 && route === 'DELETE shells') {
    await engine.commands.endShell(decode(name ?? ''));
    return json(response, 200, {});
  }
  throw noRoute(request);
}

async function command(commands: Commands, call: Call, id: string, part: string | undefined): Promise<void> {
  const { request, response, query } = call;
  identifier('the id', id);
  switch (`${request.method} ${part ?? ''}`) {
    case 'PUT ': {
      const status = commands.put(id, commandRequest(await jsonBody(request)));
      if (query.get('follow') === '1') return sendFrames(commands.get(id), response, { from: 0, follow: true });
      return json(response, 200, status);
    }
    case 'GET ': {
      const found = commands.get(id);
      const wait = queryNumber(query, 'wait') ?? 0;
      if (wait > 0) await ended(found, Math.min(wait, LONGEST_WAIT_MS), response);
      return json(response, 200, found.status());
    }
    case 'DELETE ':
      await commands.forget(id);
      return json(response, 200, {});
    case 'GET output': {
      const found = commands.get(id);
      const from = queryNumber(query, 'from') ?? 0;
      if (from > found.status().offset) {
        throw new Failure('bad_request', `from ${from} is beyond the output, which ends at ${found.status().offset}`);
      }
      return sendFrames(found, response, { from, follow: query.get('follow') !== '0' });
    }
    case 'POST stdin': {
      const found = commands.get(id);
      if (!found.takesStdin)
        throw new Failure('bad_request', 'the command takes no input: start it with "stdin": "open"');
      if (found.state === 'ended') throw new Failure('event_ended', `command ${id} has ended`);
      if (found.stdinClosed)
        throw new Failure('bad_request', "the command's input is at its end: nothing more can be sent");
      await found.writeStdin(request, query.get('close') === '1');
      return json(response, 200, {});
    }
    case 'POST signal': {
      const { signal } = await jsonBody(request);
      if (!SIGNALS.includes(signal as SignalName)) {
        throw new Failure(
          'bad_request',
          `signal ${JSON.stringify(signal)} is not known: allowed are ${SIGNALS.join(', ')}`,
        );
      }
      commands.signal(id, signal as SignalName);
      return json(response, 200, {});
    }
    case 'POST resize':
      await commands.resize(id, size(await jsonBody(request), 'the size'));
      return json(response, 200, {});
    default:
      throw noRoute(request);
  }
}

async function sendFrames(
  command: Followed,
  response: ServerResponse,
  options: { readonly from: number; readonly follow: boolean },
): Promise<void> {
  response.writeHead(200, { 'content-type': 'application/octet-stream' });
  // With the first bytes, if there are some soon: each write wakes the other end.
  const headers = setTimeout(() => response.flushHeaders(), HEADERS_MS);
  try {
    await sendOutput(command, response, options);
  } finally {
    clearTimeout(headers);
  }
}

function ended(
  command: { ended(): unknown; onEnd(callback: () => void): () => void },
  milliseconds: number,
  response: ServerResponse,
): Promise<void> {
  return new Promise((resolve) => {
    const check = (): void => {
      if (command.ended() !== undefined) done();
    };
    const undo = command.onEnd(check);
    const timer = setTimeout(done, milliseconds);
    function done(): void {
      undo();
      clearTimeout(timer);
      response.off('close', done);
      resolve();
    }
    response.on('close', done);
    check();
  });
}

const statusOf = ({ commands, digest, startedAt }: EngineParts): EngineStatus => ({
  version: SANDBOXD_VERSION,
  digest,
  pid: process.pid,
  startedAt,
  running: commands.count('running'),
  queued: commands.count('queued'),
  shells: commands.shells(),
  memoryBytes: process.memoryUsage.rss(),
});

const noRoute = ({ method, url }: IncomingMessage): Failure =>
  new Failure('route_not_found', `there is no route ${method} ${url}`);

export function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    throw new Failure('bad_request', `${part} is not percent-encoded UTF-8`);
  }
}

export function json(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}

export function fail(request: IncomingMessage, response: ServerResponse, error: unknown): void {
  if (response.headersSent) {
    // A cut stream is how the reader learns of it.
    response.destroy();
    return;
  }
  const failure =
    error instanceof Failure ? error : new Failure('internal', `sandboxd failed: ${(error as Error).message}`);
  json(response, STATUS_OF[failure.code], { error: failure.code, detail: failure.message });
  // What is left of the body is read away. Were the connection closed instead, its sender could fail before it has the answer.
  request.resume();
}
