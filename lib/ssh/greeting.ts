import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Dialer } from './dialer';
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

export interface GreetingRequest {
  readonly host: string;
  readonly port: number;
  readonly timeoutMs: number;
  /** Default: this machine. */
  readonly dialer?: Dialer;
}

/** Opens one TCP connection and waits for the server's identification line, `timeoutMs` in all. */
export function openGreeting({ host, port, timeoutMs, dialer }: GreetingRequest): GreetingAttempt {
  const peer = `${host} port ${port}`;
  if (dialer !== undefined) return greetingThrough(dialer, { host, port, timeoutMs });
  return awaitGreeting(createConnection({ host, port, noDelay: true }), { peer, timeoutMs });
}

/** The same from elsewhere. Rejects with the dialer's errors too. */
function greetingThrough(dialer: Dialer, { host, port, timeoutMs }: GreetingRequest): GreetingAttempt {
  const peer = `${host} port ${port} through ${dialer.via}`;
  const started = performance.now();
  const over = new AbortController();
  const late = new Error(`no SSH identification within ${timeoutMs} ms`);
  const timer = setTimeout(() => over.abort(late), timeoutMs);
  let attempt: GreetingAttempt | undefined;
  const greet = async (): Promise<Greeting> => {
    try {
      const stream = await dialer.dial(host, port, over.signal);
      const leftMs = Math.max(1, timeoutMs - (performance.now() - started));
      attempt = awaitGreeting(stream, { peer, timeoutMs: leftMs });
    } catch (error) {
      throw over.signal.aborted ? over.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
    if (over.signal.aborted) attempt.abandon();
    return attempt.greeting;
  };
  return {
    greeting: greet(),
    abandon: () => {
      over.abort(new Error('abandoned'));
      attempt?.abandon();
    },
  };
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
