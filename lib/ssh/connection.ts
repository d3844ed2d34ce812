import { Client } from 'ssh2';
import type { SFTPWrapper } from 'ssh2';
import { MngrFargateError } from '../contract/errors';
import { ALGORITHMS } from './algorithms';
import type { Greeting } from './greeting';
import { openGreeting } from './greeting';
import { hostKeyProblem, identificationProblem } from './host-key-policy';
import type { HostKeyPolicy } from './host-key-policy';

export interface ConnectRequest {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  /** OpenSSH private key, PEM. */
  readonly privateKey: string;
  readonly hostKey: HostKeyPolicy;
  /** A connection that a knock has opened; otherwise one is opened, once. */
  readonly greeting?: Greeting;
  readonly signal?: AbortSignal;
  /** Milliseconds for everything up to the login. Default 20,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between keepalive requests; after three without an answer the connection is lost. Default 15,000. */
  readonly keepaliveMs?: number;
}

/** An authenticated SSH connection to a host whose key has been verified. */
export interface SshConnection {
  readonly client: Client;
  /** The verified host key in SSH wire form. */
  readonly hostKey: Buffer;
  /** `user@host port N`, for messages. */
  readonly where: string;
  /** Why the connection ended; undefined while it lives. */
  lostBecause(): Error | undefined;
  sftp(): Promise<SFTPWrapper>;
  /** Ends the connection. Idempotent. */
  close(): void;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const DEFAULT_KEEPALIVE_MS = 15_000;
const KEEPALIVES_WITHOUT_ANSWER = 3;

type Ssh2Error = Error & { level?: string };

/**
 * Logs in. The host key is checked within the key exchange, before a user is named or a key offered.
 * Throws `unverified-host-key`, `denied` (the host refused the key), `unreachable`, `timed-out` or `aborted`.
 */
export async function connect(request: ConnectRequest): Promise<SshConnection> {
  const { host, port, user, signal } = request;
  const timeoutMs = request.timeoutMs ?? DEFAULT_TIMEOUT_MS;
  const deadline = performance.now() + timeoutMs;
  const address = `${host} port ${port}`;
  const greeting = request.greeting ?? (await greet(request, timeoutMs));

  const stranger = identificationProblem(request.hostKey, greeting.identification, address);
  if (stranger !== undefined) {
    greeting.socket.destroy();
    throw stranger;
  }
  const client = new Client();
  let hostKey: Buffer = Buffer.alloc(0);
  let keyProblem: MngrFargateError | undefined;
  let lost: Error | undefined;

  await new Promise<void>((resolve, reject) => {
    const leftMs = Math.max(1, deadline - performance.now());
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      outcome();
    };
    const fail = (error: MngrFargateError): void => {
      settle(() => reject(error));
      client.destroy();
      greeting.socket.destroy();
    };
    const onAbort = (): void =>
      fail(new MngrFargateError('aborted', `stopped logging in to ${address}`, { cause: signal?.reason }));
    const timer = setTimeout(
      () => fail(new MngrFargateError('timed-out', `no SSH login at ${address} within ${timeoutMs} ms`)),
      leftMs,
    );
    client
      .on('ready', () => settle(resolve))
      .on('error', (error: Ssh2Error) => {
        lost ??= error;
        fail(keyProblem ?? loginProblem(error, address, user));
      })
      .on('close', () => {
        lost ??= new Error('the connection was closed');
        fail(keyProblem ?? loginProblem(lost, address, user));
      });
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) {
      onAbort();
      return;
    }
    try {
      client.connect({
        sock: greeting.socket,
        username: user,
        privateKey: request.privateKey,
        authHandler: ['publickey'],
        algorithms: ALGORITHMS,
        readyTimeout: 0,
        keepaliveInterval: request.keepaliveMs ?? DEFAULT_KEEPALIVE_MS,
        keepaliveCountMax: KEEPALIVES_WITHOUT_ANSWER,
        hostVerifier: (key: Buffer): boolean => {
          keyProblem = hostKeyProblem(request.hostKey, greeting.identification, key, address);
          hostKey = key;
          return keyProblem === undefined;
        },
      });
    } catch (error) {
      fail(
        new MngrFargateError('failed', `cannot log in to ${address}: ${(error as Error).message}`, { cause: error }),
      );
    }
  });

  return {
    client,
    hostKey,
    where: `${user}@${address}`,
    lostBecause: () => lost,
    sftp: () =>
      new Promise((resolve, reject) => {
        client.sftp((error, sftp) => (error === undefined ? resolve(sftp) : reject(error)));
      }),
    close: () => {
      lost ??= new Error('the connection was closed here');
      client.end();
    },
  };
}

async function greet(request: ConnectRequest, timeoutMs: number): Promise<Greeting> {
  const { host, port, signal } = request;
  const attempt = openGreeting({ host, port, timeoutMs });
  const onAbort = (): void => attempt.abandon();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await attempt.greeting;
  } catch (error) {
    if (signal?.aborted)
      throw new MngrFargateError('aborted', `stopped connecting to ${host} port ${port}`, { cause: signal.reason });
    throw unreachable(`${host} port ${port}`, error as Error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function loginProblem(error: Ssh2Error, address: string, user: string): MngrFargateError {
  if (error.level === 'client-authentication') {
    return new MngrFargateError('denied', `the host at ${address} refused this machine's key for ${user}`, {
      cause: error,
      hint: 'the key must be the one that the host was created with, or one of its authorized keys',
    });
  }
  if (error.level === 'handshake' && /no matching/i.test(error.message)) {
    return new MngrFargateError(
      'unverified-host-key',
      `the machine at ${address} does not speak this host's algorithms: ${error.message}`,
      { cause: error, hint: 'hosts have an Ed25519 host key; another machine may answer in the host’s place' },
    );
  }
  return unreachable(address, error);
}

const unreachable = (address: string, cause: Error): MngrFargateError =>
  new MngrFargateError('unreachable', `cannot reach SSH at ${address}: ${cause.message}`, {
    cause,
    hint: 'check that the host is running, and that its security group lets this machine reach it (context key `sshCidr`)',
  });
