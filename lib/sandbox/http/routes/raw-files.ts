import { finished } from 'node:stream/promises';
import type { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { SandboxError } from '../../model/errors';
import type { EngineClient, FileStatus } from '../../engine/engine-client';
import { attachment } from '../attachment';
import { byteRange } from '../byte-range';
import { HTTP_LIMITS } from '../limits';
import { ok, route } from '../route';
import type { RouteCall, RouteContext, RouteSpec } from '../route';
import { sessionParams } from '../schemas/common';
import { pathQuery, rawWriteQuery, tarQuery, writtenFile } from '../schemas/file';
import { upload } from '../upload';
import { writtenView } from '../views/file-view';
import * as z from 'zod';
import { inWorkspace, modeOf } from './paths';
import { streamingWithEngine, withEngine } from './with-engine';

const FILE_ERRORS = ['session_not_found', 'file_not_found', 'permission_denied', 'session_unavailable'] as const;

/** Files as they are, streamed both ways, of any size. */
export function rawFileRoutes(context: RouteContext): RouteSpec[] {
  const read = (method: 'GET' | 'HEAD') =>
    route({
      method,
      path: '/sandbox/{id}/fs/raw',
      operation: method === 'GET' ? 'downloadFile' : 'describeFile',
      tag: 'files',
      summary: method === 'GET' ? 'Download a file, or with Range a part of it' : 'Size and date of a file, as headers',
      params: sessionParams,
      query: pathQuery,
      access: 'ticket',
      answers: {
        200: { description: 'the file', contentType: 'application/octet-stream' },
        206: { description: 'the part', contentType: 'application/octet-stream' },
        304: { description: 'not changed since If-None-Match' },
      },
      errors: [...FILE_ERRORS, 'is_a_directory', 'range_not_satisfiable', 'rate_limited'],
      handle: ({ caller, params, query, request, reply, signal }) =>
        streamingWithEngine(context, { caller, params, signal }, async (engine) => {
          const path = inWorkspace(query.path);
          const first = await engine.read(path, { signal });
          let { data } = first;
          // A stream that is not read to its end must not fail unheard.
          data.on('error', () => undefined);
          const { status } = first;
          const tag = entityTag(status);
          headersOf(reply, status, tag);
          if (request.headers['if-none-match'] === tag) {
            data.destroy();
            return { status: 304 };
          }
          const range = rangeOf(request.headers, status, tag);
          if (range === 'unsatisfiable') {
            data.destroy();
            void reply.header('content-range', `bytes */${status.size}`);
            throw new SandboxError('range_not_satisfiable', `the file has ${status.size} bytes`, { field: 'Range' });
          }
          if (range !== undefined) {
            data.destroy();
            if (method === 'GET') data = (await engine.read(path, { ...range, signal })).data;
            void reply.code(206).header('content-range', `bytes ${range.start}-${range.end}/${status.size}`);
          }
          void reply.header('content-length', range === undefined ? status.size : range.end - range.start + 1);
          if (method === 'HEAD') {
            data.destroy();
            await reply.send();
          } else await sendAll(reply, data);
          return undefined;
        }),
    });
  return [
    read('GET'),
    read('HEAD'),
    route({
      method: 'PUT',
      path: '/sandbox/{id}/fs/raw',
      operation: 'uploadFile',
      tag: 'files',
      summary: 'Write the body to a file, whole or not at all; makes its parent folders',
      params: sessionParams,
      query: rawWriteQuery,
      rawBody: true,
      answers: { 200: { description: 'it is written', schema: writtenFile } },
      errors: [...FILE_ERRORS, 'is_a_directory', 'no_space', 'rate_limited'],
      handle: (call) =>
        receiving(call, async (data, engine) => {
          const { query, signal } = call;
          const file = await engine.write(inWorkspace(query.path), data, { mode: modeOf(query.mode), signal });
          return { ...writtenView(file), path: query.path };
        }),
    }),
    route({
      method: 'GET',
      path: '/sandbox/{id}/fs/tar',
      operation: 'downloadTar',
      tag: 'files',
      summary: 'A file or folder as a tar archive',
      params: sessionParams,
      query: tarQuery,
      access: 'ticket',
      answers: { 200: { description: 'the archive', contentType: 'application/x-tar' } },
      errors: [...FILE_ERRORS, 'rate_limited'],
      handle: ({ caller, params, query, reply, signal }) =>
        streamingWithEngine(context, { caller, params, signal }, async (engine) => {
          const gzip = query.gzip === true;
          const data = await engine.pack(inWorkspace(query.path), { gzip, signal });
          const name = `${query.path.split('/').filter(Boolean).pop() ?? 'root'}.tar${gzip ? '.gz' : ''}`;
          void reply.headers({
            'content-type': gzip ? 'application/gzip' : 'application/x-tar',
            'content-disposition': attachment(name),
            'content-security-policy': 'sandbox',
          });
          await sendAll(reply, data);
          return undefined;
        }),
    }),
    route({
      method: 'PUT',
      path: '/sandbox/{id}/fs/tar',
      operation: 'uploadTar',
      tag: 'files',
      summary: 'Unpack the body, a tar archive, into a folder; nothing of it lands outside',
      params: sessionParams,
      query: tarQuery,
      rawBody: true,
      answers: { 200: { description: 'it is unpacked', schema: z.object({ path: z.string() }) } },
      errors: [...FILE_ERRORS, 'not_a_directory', 'no_space', 'rate_limited'],
      handle: (call) =>
        receiving(call, async (data, engine) => {
          const { query, signal } = call;
          await engine.unpack(inWorkspace(query.path), data, { gzip: query.gzip === true, signal });
          return { path: query.path };
        }),
    }),
  ];

  /** Gives the body to the work, one upload of those that may be open. */
  function receiving<Q>(
    call: RouteCall<{ id: string }, Q, unknown>,
    work: (data: Readable, engine: EngineClient) => Promise<object>,
  ) {
    return context.streams.during(call.caller, () => {
      const data = upload(call.request.raw, HTTP_LIMITS.uploadIdleMs);
      data.on('error', () => undefined);
      return withEngine(context, call, async (engine) => ok(await work(data, engine)));
    });
  }
}

/** Sends the stream, and waits until the client has it or is gone. A stream that fails cuts the connection. */
async function sendAll(reply: FastifyReply, data: Readable): Promise<void> {
  const sent = finished(reply.raw).catch(() => data.destroy());
  void reply.send(data);
  await sent;
}

const entityTag = ({ size, modifiedAt }: FileStatus): string =>
  `"${size.toString(16)}-${Math.trunc(modifiedAt).toString(16)}"`;

function headersOf(reply: FastifyReply, file: FileStatus, tag: string): void {
  void reply.headers({
    'content-type': 'application/octet-stream',
    'content-disposition': attachment(file.name),
    'content-security-policy': 'sandbox',
    'accept-ranges': 'bytes',
    'last-modified': new Date(file.modifiedAt).toUTCString(),
    etag: tag,
  });
}

interface RangeHeaders {
  readonly range?: string;
  readonly 'if-range'?: string | string[];
}

/** The part that is asked for; undefined for all of it. */
function rangeOf(headers: RangeHeaders, { size, modifiedAt }: FileStatus, tag: string) {
  const condition = headers['if-range'];
  const isSame = condition === undefined || condition === tag || condition === new Date(modifiedAt).toUTCString();
  if (headers.range === undefined || !isSame) return undefined;
  return byteRange(headers.range, size);
}
