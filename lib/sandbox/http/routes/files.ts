import { Readable } from 'node:stream';
import { WORKSPACE } from '../../../contract/sandboxd';
import { SandboxError } from '../../model/errors';
import * as z from 'zod';
import { HTTP_LIMITS } from '../limits';
import { ok, route } from '../route';
import type { RouteContext, RouteSpec } from '../route';
import { booleanText, filePath, sessionParams } from '../schemas/common';
import { deletedFile, deleteFile, fileContent, fileList, pathQuery, writeFile, writtenFile } from '../schemas/file';
import { fileView, writtenView } from '../views/file-view';
import { inWorkspace, modeOf } from './paths';
import { withEngine } from './with-engine';

const MIB = 1024 * 1024;
const FILE_ERRORS = ['session_not_found', 'file_not_found', 'permission_denied', 'session_unavailable'] as const;

/** Files as base64 in JSON: the routes that the seed has. */
export function fileRoutes(context: RouteContext): RouteSpec[] {
  const { shape } = context;
  return [
    route({
      method: 'GET',
      path: '/sandbox/{id}/fs',
      operation: 'readFile',
      tag: 'files',
      summary: `Read a file of at most ${HTTP_LIMITS.jsonFileBytes / MIB} MiB`,
      params: sessionParams,
      query: pathQuery,
      answers: { 200: { description: 'the file', schema: fileContent } },
      errors: [...FILE_ERRORS, 'is_a_directory', 'too_large'],
      handle: ({ caller, params, query, signal }) =>
        withEngine(context, { caller, params, signal }, async (engine) => {
          const { data } = await engine.read(inWorkspace(query.path), { signal });
          const bytes = await bounded(data);
          const size = bytes.length;
          return ok({ path: query.path, content_b64: bytes.toString('base64'), size, size_bytes: size });
        }),
    }),
    route({
      method: 'POST',
      path: '/sandbox/{id}/fs',
      operation: 'writeFile',
      tag: 'files',
      summary: 'Write a file, whole or not at all; makes its parent folders',
      params: sessionParams,
      body: writeFile,
      bodyLimit: Math.ceil(HTTP_LIMITS.jsonFileBytes / 3) * 4 + 64 * 1024,
      answers: { [shape === 'actual' ? 200 : 201]: { description: 'it is written', schema: writtenFile } },
      errors: [...FILE_ERRORS, 'is_a_directory', 'too_large', 'no_space'],
      handle: ({ caller, params, body, signal }) => {
        const bytes = decoded(body.content_b64);
        return withEngine(context, { caller, params, signal }, async (engine) => {
          const data = Readable.from([bytes], { objectMode: false });
          const file = await engine.write(inWorkspace(body.path), data, { mode: modeOf(body.mode), signal });
          return { status: shape === 'actual' ? 200 : 201, body: { ...writtenView(file), path: body.path } };
        });
      },
    }),
    route({
      method: 'DELETE',
      path: '/sandbox/{id}/fs',
      operation: 'deleteFile',
      tag: 'files',
      summary: 'Delete a file, or with recursive a folder; path may be in the body or in the query',
      params: sessionParams,
      query: z.strictObject({ path: filePath.optional(), recursive: booleanText.optional() }),
      body: deleteFile.partial(),
      answers: { 200: { description: 'it is deleted', schema: deletedFile } },
      errors: [...FILE_ERRORS, 'directory_not_empty'],
      handle: ({ caller, params, query, body, signal }) => {
        const path = body.path ?? query.path;
        if (path === undefined) throw new SandboxError('bad_request', 'path is missing: give text', { field: 'path' });
        const recursive = body.recursive ?? query.recursive ?? false;
        return withEngine(context, { caller, params, signal }, async (engine) => {
          await engine.remove(inWorkspace(path), { recursive, signal });
          return ok({ path, deleted: path });
        });
      },
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/fs/list',
      operation: 'listFiles',
      tag: 'files',
      summary: 'What is in a folder',
      params: sessionParams,
      query: z.strictObject({ path: filePath.optional().meta({ description: `default: ${WORKSPACE}` }) }),
      answers: { 200: { description: 'its entries', schema: fileList } },
      errors: [...FILE_ERRORS, 'not_a_directory'],
      handle: ({ caller, params, query, signal }) =>
        withEngine(context, { caller, params, signal }, async (engine) => {
          const path = query.path ?? WORKSPACE;
          return ok({ path, entries: (await engine.list(inWorkspace(path), { signal })).map(fileView) });
        }),
    }),
  ];
}

/** The bytes of base64, with or without its padding. Node's decoder takes anything. */
function decoded(text: string): Buffer {
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64').replace(/=+$/, '') === text.replace(/={0,2}$/, '')) return bytes;
  throw new SandboxError('bad_request', 'content_b64 must be base64 (A-Z, a-z, 0-9, +, /)', { field: 'content_b64' });
}

/** All of a stream, up to the size that goes through JSON. */
async function bounded(data: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of data as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > HTTP_LIMITS.jsonFileBytes) {
      throw new SandboxError('too_large', `the file is larger than ${HTTP_LIMITS.jsonFileBytes / MIB} MiB`, {
        suggestion: 'stream it with GET /sandbox/{id}/fs/raw',
      });
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
