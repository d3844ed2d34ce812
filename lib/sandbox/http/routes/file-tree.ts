import { WORKSPACE } from '../../../contract/sandboxd';
import { KEEP_ALIVE_COMMENT_MS } from '../limits';
import { ok, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { sessionParams } from '../schemas/common';
import {
  changeMode,
  file,
  makeDirectory,
  moveFile,
  pathQuery,
  searchQuery,
  searchResult,
  watchQuery,
} from '../schemas/file';
import { sendTexts } from '../send-stream';
import { withKeepAlive } from '../keep-alive';
import { fileView } from '../views/file-view';
import { inWorkspace, modeOf } from './paths';
import { streamingWithEngine, withEngine } from './with-engine';

const DEFAULT_MATCHES = 1000;
const FILE_ERRORS = ['session_not_found', 'file_not_found', 'permission_denied', 'session_unavailable'] as const;

/** What there is besides reading and writing. */
export function fileTreeRoutes(context: RouteContext): RouteSpec[] {
  return [
    route({
      method: 'GET',
      path: '/sandbox/{id}/fs/stat',
      operation: 'statFile',
      tag: 'files',
      summary: 'What a path is; of a link, the link itself',
      params: sessionParams,
      query: pathQuery,
      answers: { 200: { description: 'what it is', schema: file } },
      errors: FILE_ERRORS,
      handle: (call) =>
        withEngine(context, call, async (engine) =>
          ok(fileView(await engine.stat(inWorkspace(call.query.path), { signal: call.signal }))),
        ),
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/fs/mkdir',
      operation: 'makeDirectory',
      tag: 'files',
      summary: 'Make a folder',
      params: sessionParams,
      body: makeDirectory,
      answers: { 201: { description: 'it is there', schema: file } },
      errors: [...FILE_ERRORS, 'file_exists', 'not_a_directory', 'no_space'],
      handle: (call) =>
        withEngine(context, call, async (engine) => {
          const { path, parents = true, mode } = call.body;
          const made = await engine.makeDirectory(inWorkspace(path), {
            parents,
            mode: modeOf(mode),
            signal: call.signal,
          });
          return { status: 201, body: fileView(made) };
        }),
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/fs/move',
      operation: 'moveFile',
      tag: 'files',
      summary: 'Move or rename a file or folder',
      params: sessionParams,
      body: moveFile,
      answers: { 200: { description: 'as it is now', schema: file } },
      errors: [...FILE_ERRORS, 'file_exists', 'directory_not_empty', 'no_space'],
      handle: (call) =>
        withEngine(context, call, async (engine) => {
          const { from, to, overwrite } = call.body;
          return ok(
            fileView(await engine.move(inWorkspace(from), inWorkspace(to), { overwrite, signal: call.signal })),
          );
        }),
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/fs/chmod',
      operation: 'changeMode',
      tag: 'files',
      summary: 'Change permission bits',
      params: sessionParams,
      body: changeMode,
      answers: { 200: { description: 'as it is now', schema: file } },
      errors: FILE_ERRORS,
      handle: (call) =>
        withEngine(context, call, async (engine) => {
          const { path, mode, recursive } = call.body;
          const changed = await engine.changeMode(inWorkspace(path), modeOf(mode) ?? 0, {
            recursive,
            signal: call.signal,
          });
          return ok(fileView(changed));
        }),
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/fs/search',
      operation: 'searchFiles',
      tag: 'files',
      summary: 'Find files by name, lines by content, or both',
      params: sessionParams,
      query: searchQuery,
      answers: { 200: { description: 'the matches', schema: searchResult } },
      errors: [...FILE_ERRORS, 'not_a_directory'],
      handle: (call) =>
        withEngine(context, call, async (engine) => {
          const { path = WORKSPACE, name, content, limit = DEFAULT_MATCHES, ignore_case: ignoreCase } = call.query;
          // One more than asked for tells whether there are more.
          const what = { name, content, ignoreCase, limit: limit + 1 };
          const matches = [];
          for await (const match of engine.search(inWorkspace(path), what, { signal: call.signal })) {
            matches.push(match);
            if (matches.length > limit) break;
          }
          return ok({ matches: matches.slice(0, limit), truncated: matches.length > limit });
        }),
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/fs/watch',
      operation: 'watchFiles',
      tag: 'files',
      summary: 'Changes as they happen, as server-sent events created, changed and removed',
      params: sessionParams,
      query: watchQuery,
      access: 'ticket',
      answers: { 200: { description: 'server-sent events', contentType: 'text/event-stream' } },
      errors: [...FILE_ERRORS, 'rate_limited'],
      handle: async (call) => {
        const { query, reply, signal } = call;
        return streamingWithEngine(context, call, async (engine) => {
          const path = inWorkspace(query.path);
          // Finds out what there is to refuse while it still can be an answer of its own.
          await engine.stat(path, { signal });
          const changes = engine.watch(path, { recursive: query.recursive === true, signal });
          await sendTexts(reply, 'text/event-stream; charset=utf-8', asEvents(changes), signal);
          return undefined;
        });
      },
    }),
  ];
}

async function* asEvents(changes: AsyncIterable<{ readonly type: string; readonly path: string }>) {
  for await (const change of withKeepAlive(changes, KEEP_ALIVE_COMMENT_MS)) {
    if (change === 'alive') yield ':\n\n';
    else yield `event: ${change.type}\ndata: ${JSON.stringify({ path: change.path })}\n\n`;
  }
}
