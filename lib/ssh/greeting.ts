import { createConnection } from 'node:net';
import type { Socket } from 'node:net';
import type { NotSshError } from './identification';
import { identificationIn } from './identification';

/** A TCP connection whose server has identified itself as SSH. The bytes read so far are back in the socket. */
export interface Greeting {
  readonly socket: Socket;
  readonly identification: string;
}

export interface GreetingOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds until the server must have identified itself. */
  readonly timeoutMs: number;
  /** Called once TCP is connected. */
  readonly onConnect?: () => void;
}

/** A connection attempt that can be given up. */
export interface GreetingAttempt {
  /** Rejects with the socket's error, a NotSshError, or `closed`/`timed out` errors. */
  readonly greeting: Promise<Greeting>;
  /** Ends the attempt: closes the socket unless the greeting has been handed over. */
  abandon(): void;
}

/** Opens one TCP connection and waits for the server's identification line. */
export function openGreeting(options: GreetingOptions): GreetingAttempt {
  const socket = createConnection({ host: options.host, port: options.port, noDelay: true });
  let received = Buffer.alloc(0);
  let settled = false;

  const greeting = new Promise<Greeting>((resolve, reject) => {
    const timer = setTimeout(
      () => fail(new Error(`no SSH identification within ${options.timeoutMs} ms`)),
      options.timeoutMs,
    );
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
      socket.off('data', onData).off('close', onClose).off('end', onClose);
    };
    const succeed = (identification: string): void => {
      settle();
      socket.pause();
      socket.unshift(received);
      resolve({ socket, identification });
    };
    const fail = (error: Error): void => {
      if (settled) return;
      settle();
      socket.destroy();
      reject(error);
    };
    socket.on('connect', () => options.onConnect?.());
    // Stays for the socket's life: an error between the greeting and the handshake must not end the process.
    socket.on('error', fail);
    socket.on('data', onData).on('close', onClose).on('end', onClose);
  });

  return {
    greeting,
    abandon: () => {
      if (!settled) socket.destroy(new Error('abandoned'));
    },
  };
}
