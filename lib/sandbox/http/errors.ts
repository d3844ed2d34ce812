import type { Socket } from 'node:net';
import type { FastifyError, FastifyInstance } from 'fastify';
import { isSandboxError, SandboxError } from '../model/errors';
import type { SandboxErrorCode } from '../model/errors';
import { isMngrFargateError } from '../../contract/errors';

/** The body of an error's answer. */
export const errorView = (error: SandboxError, requestId?: string) => ({
  error: error.code,
  detail: error.message,
  suggestion: error.suggestion,
  ...(error.field === undefined ? {} : { field: error.field }),
  ...(requestId === undefined ? {} : { request_id: requestId }),
});

/** What Fastify finds wrong before a handler runs. */
const FASTIFY_ERRORS: Readonly<Record<string, { readonly code: SandboxErrorCode; readonly detail?: string }>> = {
  FST_ERR_CTP_BODY_TOO_LARGE: { code: 'too_large', detail: 'the body is larger than this route takes' },
  FST_ERR_CTP_INVALID_MEDIA_TYPE: {
    code: 'unsupported_media_type',
    detail: 'the body is not JSON by its Content-Type',
  },
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: { code: 'bad_request', detail: 'the body is not as long as Content-Length says' },
  FST_ERR_CTP_INVALID_JSON_BODY: { code: 'bad_request', detail: 'the body is not valid JSON' },
  FST_ERR_BAD_URL: { code: 'bad_request', detail: 'the path is not a valid URL' },
};

/** Any error as one of ours. What was not thrown on purpose says nothing of itself: it may hold secrets. */
export function asSandboxError(error: unknown, bodyLimit?: number): SandboxError {
  if (isSandboxError(error)) return error;
  const { code, statusCode } = error as Partial<FastifyError>;
  const known = code === undefined ? undefined : FASTIFY_ERRORS[code];
  if (known?.code === 'too_large' && bodyLimit !== undefined) {
    return new SandboxError('too_large', `the body is larger than ${bodyLimit} bytes, the limit of this route`);
  }
  if (known !== undefined) return new SandboxError(known.code, known.detail ?? 'the request is not valid');
  if (isMngrFargateError(error)) return new SandboxError('session_unavailable', error.message, { cause: error });
  if (statusCode === 400 && error instanceof SyntaxError) {
    return new SandboxError('bad_request', 'the body is not valid JSON', { cause: error });
  }
  return new SandboxError('internal', 'something went wrong in the service', { cause: error });
}

/** What passes by itself says when to come again, in seconds. */
const retryAfterOf = ({ status, retryAfterSeconds }: SandboxError): number | undefined =>
  retryAfterSeconds !== undefined ? Math.ceil(retryAfterSeconds) : status === 429 || status === 503 ? 2 : undefined;

/** Answers every error of a route, and every path without one, in the same form. */
export function answerErrors(app: FastifyInstance, onInternal: (error: unknown, requestId: string) => void): void {
  app.setErrorHandler((error, request, reply) => {
    const known = asSandboxError(error, request.routeOptions.bodyLimit);
    if (known.code === 'internal') onInternal(error, request.id);
    const retryAfter = retryAfterOf(known);
    if (retryAfter !== undefined) void reply.header('retry-after', retryAfter);
    if (known.code === 'unauthorized') void reply.header('www-authenticate', 'Bearer');
    return reply.code(known.status).type('application/json; charset=utf-8').send(errorView(known, request.id));
  });
  app.setNotFoundHandler((request, reply) => {
    const [path = ''] = request.url.split('?');
    const detail = `there is no ${request.method} ${path.slice(0, 200)}`;
    const error = new SandboxError('route_not_found', detail);
    return reply.code(404).type('application/json; charset=utf-8').send(errorView(error, request.id));
  });
}

/** Answers what isn't HTTP, has too large headers or takes too long over them, and closes the connection. */
export function answerBrokenRequest(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy();
    return;
  }
  const [status, view] = brokenRequest(error.code);
  const body = JSON.stringify(view);
  socket.end(
    `HTTP/1.1 ${status}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}

function brokenRequest(code: string | undefined): [string, object] {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const error = new SandboxError('request_timeout', 'the headers of the request took too long');
    return ['408 Request Timeout', errorView(error)];
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    return [
      '431 Request Header Fields Too Large',
      errorView(new SandboxError('bad_request', 'the headers are too large')),
    ];
  }
  return ['400 Bad Request', errorView(new SandboxError('bad_request', 'the request is not valid HTTP'))];
}
