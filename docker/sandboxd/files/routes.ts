import type { IncomingMessage, ServerResponse } from 'node:http';
import { isAbsolute, normalize, resolve } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Failure } from '../failure';
import { queryNumber } from '../http/request';
import { json } from '../http/server';
import { packFiles, unpackFiles } from './archive';
import { fileFailure } from './file-errors';
import {
  changeModeOf,
  listFolder,
  makeFolder,
  moveFile,
  readFileFrom,
  removeFile,
  statusOf,
  writeFileTo,
} from './operations';
import { runSearch } from './search-thread';
import { Watch } from './watch';

const ALIVE_MS = 15_000;
const DEFAULT_MATCHES = 1_000;
const MOST_MATCHES = 100_000;

interface Asked {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly query: URLSearchParams;
  readonly path: string;
  readonly workspace: string;
}

type Route = (asked: Asked) => Promise<void>;

const flag = (query: URLSearchParams, name: string): boolean => query.get(name) === '1';

/** An absolute path. Relative ones start in the workspace. */
function pathIn(query: URLSearchParams, name: string, workspace: string): string {
  const given = query.get(name);
  if (given === null || given === '') throw new Failure('bad_request', `${name} is missing: name a file or folder`);
  if (given.includes('\0'))
    throw new Failure('bad_request', `${name} contains a NUL character, which no file name can: leave it out`);
  const path = normalize(isAbsolute(given) ? given : resolve(workspace, given));
  return path.length > 1 ? path.replace(/\/+$/, '') : path;
}

function modeIn(query: URLSearchParams): number | undefined {
  const mode = queryNumber(query, 'mode');
  if (mode !== undefined && mode > 0o7777)
    throw new Failure('bad_request', `mode ${mode} must be from 0 to 4095 (octal 7777)`);
  return mode;
}

/**
 * `…/v1/files/`: each route has the parameter `path`.
 *
 * | request                                  | what it does                                                    |
 * |------------------------------------------|-----------------------------------------------------------------|
 * | `GET stat`                               | `FileStatus`                                                    |
 * | `GET list`                               | `FileStatus[]` of a folder, by name                             |
 * | `GET content?start&end`                  | the bytes; header `x-file-status` is the base64 of `FileStatus` |
 * | `PUT content?mode`                       | writes the body, all of it or nothing                           |
 * | `DELETE content?recursive`               | removes                                                         |
 * | `POST directory?mode&parents`            | makes a folder                                                  |
 * | `POST move?to&overwrite`                 | gives another name                                              |
 * | `POST mode?mode&recursive`               | changes the mode                                                |
 * | `GET archive?gzip`, `PUT archive?gzip`   | packs and unpacks                                               |
 * | `GET watch?recursive`                    | `WatchChange` lines                                             |
 * | `GET search?name&content&limit&ignoreCase` | `SearchMatch` lines                                           |
 *
 * Lines are JSON; the last is `{"end": true}`, and empty ones mean that nothing has happened.
 */
const ROUTES: Readonly<Record<string, Route>> = {
  'GET stat': async ({ response, path }) => json(response, 200, await statusOf(path)),
  'GET list': async ({ response, path }) => json(response, 200, await listFolder(path)),
  'GET content': async ({ response, query, path }) => {
    const { status, data } = await readFileFrom(path, queryNumber(query, 'start'), queryNumber(query, 'end'));
    response.writeHead(200, {
      'content-type': 'application/octet-stream',
      'x-file-status': Buffer.from(JSON.stringify(status)).toString('base64'),
    });
    await pipeline(data, response);
  },
  'PUT content': async ({ request, response, query, path }) =>
    json(response, 200, await writeFileTo(path, request, modeIn(query))),
  'DELETE content': async ({ response, query, path }) => {
    await removeFile(path, flag(query, 'recursive'));
    json(response, 200, {});
  },
  'POST directory': async ({ response, query, path }) =>
    json(response, 200, await makeFolder(path, modeIn(query), flag(query, 'parents'))),
  'POST move': async ({ response, query, path, workspace }) =>
    json(response, 200, await moveFile(path, pathIn(query, 'to', workspace), flag(query, 'overwrite'))),
  'POST mode': async ({ response, query, path }) => {
    const mode = modeIn(query);
    if (mode === undefined) throw new Failure('bad_request', 'mode is missing: give one');
    json(response, 200, await changeModeOf(path, mode, flag(query, 'recursive')));
  },
  'GET archive': async ({ response, query, path }) => {
    const { data, done, stop } = await packFiles(path, flag(query, 'gzip'));
    response.on('close', stop);
    response.writeHead(200, { 'content-type': flag(query, 'gzip') ? 'application/gzip' : 'application/x-tar' });
    data.pipe(response, { end: false });
    await done;
    response.end();
  },
  'PUT archive': async ({ request, response, query, path }) => {
    await unpackFiles(path, request, flag(query, 'gzip'));
    json(response, 200, {});
  },
  'GET watch': async ({ response, query, path }) => {
    const line = (value: unknown): void => void response.write(`${JSON.stringify(value)}\n`);
    const watch = await Watch.start(path, flag(query, 'recursive'), line, () => {
      if (!response.writableEnded) response.end('{"end":true}\n');
    });
    const beat = setInterval(() => response.write('\n'), ALIVE_MS);
    response.on('close', () => {
      watch.close();
      clearInterval(beat);
    });
    response.writeHead(200, { 'content-type': 'application/jsonl' });
    response.flushHeaders();
  },
  'GET search': async ({ response, query, path }) => {
    const [name, content] = [query.get('name') ?? undefined, query.get('content') ?? undefined];
    if (name === undefined && content === undefined) {
      throw new Failure('bad_request', 'name and content are missing: give one of them or both');
    }
    const limit = Math.min(queryNumber(query, 'limit') ?? DEFAULT_MATCHES, MOST_MATCHES);
    await statusOf(path);
    const ended = new AbortController();
    response.on('close', () => ended.abort());
    const search = {
      path,
      limit,
      ignoreCase: flag(query, 'ignoreCase'),
      ...(name === undefined ? {} : { name }),
      ...(content === undefined ? {} : { content }),
    };
    await runSearch(
      search,
      (matches) => {
        if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/jsonl' });
        response.write(matches.map((match) => `${JSON.stringify(match)}\n`).join(''));
      },
      ended.signal,
    );
    if (!response.headersSent) response.writeHead(200, { 'content-type': 'application/jsonl' });
    response.end('{"end":true}\n');
  },
};

/** Answers one request about files, with the rights of this process. */
export async function answerFiles(
  request: IncomingMessage,
  response: ServerResponse,
  workspace: string,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://files');
  const name = `${request.method} ${url.pathname.split('/').slice(3).join('/')}`;
  const route = Object.hasOwn(ROUTES, name) ? ROUTES[name] : undefined;
  if (route === undefined) throw new Failure('route_not_found', `there is no route ${request.method} ${url.pathname}`);
  const path = pathIn(url.searchParams, 'path', workspace);
  try {
    await route({ request, response, query: url.searchParams, path, workspace });
  } catch (error) {
    throw fileFailure(error, path);
  }
}
