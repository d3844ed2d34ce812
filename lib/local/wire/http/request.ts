import type { IncomingMessage } from 'node:http';

/** What an HTTP request says before its body; header names are in lower case. */
export interface RequestHead {
  readonly method: string;
  /** Path as sent, without the query. */
  readonly path: string;
  /** Query as sent, without `?`. */
  readonly query: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** An HTTP request whose body has been read. */
export interface HttpRequest extends RequestHead {
  readonly body: Buffer;
}

export class BodyTooLargeError extends Error {
  override readonly name = 'BodyTooLargeError';
  constructor(maxBytes: number) {
    super(`the request body is larger than ${maxBytes} bytes`);
  }
}

export function headOf(message: IncomingMessage): RequestHead {
  const target = message.url ?? '/';
  const mark = target.indexOf('?');
  return {
    method: message.method ?? 'GET',
    path: mark === -1 ? target : target.slice(0, mark),
    query: mark === -1 ? '' : target.slice(mark + 1),
    headers: Object.fromEntries(
      Object.entries(message.headers).map(([name, value]) => [
        name,
        Array.isArray(value) ? value.join(',') : (value ?? ''),
      ]),
    ),
  };
}

/** Throws BodyTooLargeError as soon as the body is known to be larger; what is left of it isn't read then. */
export async function readBody(message: IncomingMessage, maxBytes: number): Promise<Buffer> {
  if (Number(message.headers['content-length'] ?? 0) > maxBytes) throw new BodyTooLargeError(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  // Left open at a throw, so that the request can still be answered.
  for await (const chunk of message.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new BodyTooLargeError(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
