import { Readable } from 'node:stream';
import { SandboxError } from '../model/errors';

/**
 * A request's body as a stream that fails when the client is silent for too long while more is wanted, or goes away before
 * the end. A client that waits because nobody reads is not counted.
 */
export function upload(body: Readable, idleMs: number): Readable {
  return Readable.from(pieces(body, idleMs), { objectMode: false, highWaterMark: 64 * 1024 });
}

async function* pieces(body: Readable, idleMs: number): AsyncGenerator<Buffer> {
  const iterator = body[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  for (;;) {
    const next = await within(iterator.next(), idleMs, body);
    if (next.done === true) return;
    yield next.value;
  }
}

async function within<T>(promise: Promise<T>, idleMs: number, body: Readable): Promise<T> {
  if (!Number.isFinite(idleMs)) return promise;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new SandboxError('request_timeout', `no more of the body arrived for ${idleMs / 1000} s`));
      body.destroy();
    }, idleMs);
  });
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
