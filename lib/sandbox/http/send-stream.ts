import { once } from 'node:events';
import type { FastifyReply } from 'fastify';

/**
 * Writes texts to the client as they come, and waits for a slow one. Returns once the answer is complete or the client is
 * gone. If the texts fail, the connection is cut, so that nobody takes it for the end.
 */
export async function sendTexts(
  reply: FastifyReply,
  contentType: string,
  texts: AsyncIterable<string>,
  signal: AbortSignal,
): Promise<void> {
  const { raw } = reply;
  reply.hijack();
  raw.on('error', () => undefined);
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) raw.setHeader(name, value);
  // Load balancers and nginx would collect a stream before they pass it on.
  raw.writeHead(200, {
    'content-type': contentType,
    'cache-control': 'no-store, no-transform',
    'x-accel-buffering': 'no',
  });
  raw.flushHeaders();
  try {
    for await (const text of texts) {
      if (raw.destroyed) return;
      if (!raw.write(text)) await once(raw, 'drain', { signal });
    }
    raw.end();
  } catch {
    raw.destroy();
  }
}
