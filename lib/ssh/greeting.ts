import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import type { NotSshError } from './identification';
import { identificationIn } from './identification';

/** A stream whose server has identified itself as SSH. The bytes read so far are back in the stream. */
export interface Greeting {
  readonly stream: Duplex;
  readonly identification: string;
  /** The server's address as messages show it, for example `10.0.0.7 port 22`. */
  readonly peer: string;
}

/** A connection attempt that can be abandoned. */
export interface GreetingAttempt {
  /** Rejects with the stream's error, a NotSshError, or `closed`/`timed out` errors. */
  readonly greeting: Promise<Greeting>;
  /** Ends the attempt: closes the stream unless the greeting has been handed over. */
  abandon(): void;
}

/** Opens one TCP connection and waits for the server's identification line, `timeoutMs` in all. */
export function openGreeting({
  host,
  port,
  timeoutMs,
}: {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
}): GreetingAttempt {
  const socket = createConnection({ host, port, noDelay: true });
  return awaitGreeting(socket, { peer: `${host} port ${port}`, timeoutMs });
}

/** Waits for the identification line of the SSH server at the other end of a stream, over any kind of transport. */
export function awaitGreeting(
  stream: Duplex,
  { peer, timeoutMs }: { readonly peer: string; readonly timeoutMs: number },
): GreetingAttempt {
  let received = Buffer.alloc(0);
  let settled = false;

  const greeting = new Promise<Greeting>((resolve, reject) => {
    const timer = setTimeout(() => fail(new Error(`no SSH identification within ${timeoutMs} ms`)), timeoutMs);
    const onData = (chunk: Buffer): void => {
      received = Buffer.concat([received, chunk]);
      try {
        const identification = identificationIn(received);
        if (identification !== undefined) succeed(identification);
      } catch (error) {
        fail(error as NotSshError);
      }
    };
    const onClose = (): void => fail(new Error('the connection was closed before the server identified itself'));
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
      stream.off('data', onData).off('close', onClose).off('end', onClose);
    };
    const succeed = (identification: string): void => {
      settle();
      stream.pause();
      stream.unshift(received);
      resolve({ stream, identification, peer });
    };
    const fail = (error: Error): void => {
      if (settled) return;
      settle();
      stream.destroy();
      reject(error);
    };
    // Never removed: an error between the greeting and the handshake must not crash the process.
    stream.on('error', fail);
    stream.on('data', onData).on('close', onClose).on('end', onClose);
  });

  return {
    greeting,
    abandon: () => {
      if (!settled) stream.destroy(new Error('abandoned'));
    },
  };
}
