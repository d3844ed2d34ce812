import { request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingMessage, OutgoingHttpHeaders, RequestOptions } from 'node:http';
import { pipeline } from 'node:stream/promises';
import type { Duplex } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { SandboxError } from '../../model/errors';
import { isUpgrade, takeUpgrade } from '../upgrade';
import { answerHeaders, requestHeaders } from './proxy-headers';
import type { ProxyPlace } from './proxy-headers';

/** Headers of an answer, however hostile. */
const MAX_HEADER_BYTES = 64 * 1024;

/** Passes a request or a WebSocket on to a server in the sandbox. Throws `port_unreachable`. */
export const proxy = (
  request: FastifyRequest,
  reply: FastifyReply,
  connection: Duplex,
  path: string,
  place: ProxyPlace,
): Promise<void> => (isUpgrade(request) ? proxyUpgrade : proxyRequest)(request, reply, connection, path, place);

/** Passes a request on, and its answer back, both as they come. */
async function proxyRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  connection: Duplex,
  path: string,
  place: ProxyPlace,
): Promise<void> {
  const headers = requestHeaders(request.raw, place);
  const outgoing = requestOver(connection, { method: request.method, path, headers: flat(headers) });
  const answered = answerOf(outgoing, place.port);
  reply.raw.once('close', () => connection.destroy());
  // An answer may come before the end of the request; a request that can't be sent is heard of through the answer.
  void pipeline(request.raw, outgoing).catch(() => undefined);
  const answer = await answered;
  reply.hijack();
  const { raw } = reply;
  raw.on('error', () => undefined);
  raw.writeHead(answer.statusCode ?? 502, answer.statusMessage, flat(answerHeaders(answer, place)));
  raw.flushHeaders();
  await pipeline(answer, raw).catch(() => raw.destroy());
  connection.destroy();
}

/** Passes a WebSocket through, without a look at its frames. */
async function proxyUpgrade(
  request: FastifyRequest,
  reply: FastifyReply,
  connection: Duplex,
  path: string,
  place: ProxyPlace,
): Promise<void> {
  const headers = requestHeaders(request.raw, place);
  headers.push(['Connection', 'Upgrade'], ['Upgrade', 'websocket']);
  const outgoing = requestOver(connection, { path, headers: flat(headers) });
  const accepted = new Promise<{ answer: IncomingMessage; head: Buffer | undefined }>((resolve, reject) => {
    outgoing.once('upgrade', (answer: IncomingMessage, _socket, head: Buffer) => resolve({ answer, head }));
    outgoing.once('response', (answer) => resolve({ answer, head: undefined }));
    outgoing.once('error', (error) => reject(unreachable(place.port, error)));
  });
  outgoing.end();
  const { answer, head } = await accepted;
  if (head === undefined) {
    reply.hijack();
    reply.raw.on('error', () => undefined);
    reply.raw.writeHead(answer.statusCode ?? 502, flat(answerHeaders(answer, place)));
    await pipeline(answer, reply.raw).catch(() => reply.raw.destroy());
    connection.destroy();
    return;
  }
  const upgrade = takeUpgrade(request, reply);
  const lines = answerHeaders(answer, place).map(([name, value]) => `${name}: ${value}\r\n`);
  upgrade.socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${lines.join('')}\r\n`,
  );
  if (head.length > 0) upgrade.socket.write(head);
  if (upgrade.head.length > 0) connection.write(upgrade.head);
  await Promise.all([
    pipeline(upgrade.socket, connection).catch(() => connection.destroy()),
    pipeline(connection, upgrade.socket).catch(() => upgrade.socket.destroy()),
  ]);
}

const requestOver = (connection: Duplex, what: RequestOptions): ClientRequest =>
  httpRequest({ ...what, setHost: false, createConnection: () => connection, maxHeaderSize: MAX_HEADER_BYTES });

function answerOf(outgoing: ClientRequest, port: number): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    outgoing.once('response', resolve);
    outgoing.on('error', (error) => reject(unreachable(port, error)));
  });
}

const unreachable = (port: number, cause: Error): SandboxError =>
  new SandboxError('port_unreachable', `what listens on port ${port} of the sandbox did not answer in HTTP`, { cause });

/** Headers of a name several times as a list, which Node writes one by one. */
function flat(pairs: readonly [string, string][]): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = {};
  const names = new Map<string, string>();
  for (const [name, value] of pairs) {
    const known = names.get(name.toLowerCase()) ?? name;
    names.set(name.toLowerCase(), known);
    const before = headers[known];
    headers[known] = before === undefined ? value : [...[before].flat().map(String), value];
  }
  return headers;
}
