import { Client } from 'ssh2';
import type { HostChannel } from '../contract/channel';
import { isMngrFargateError, MngrFargateError } from '../contract/errors';
import { reasonOf } from '../util/system-error';
import { ALGORITHMS } from './algorithms';
import { SshChannel } from './channel';
import type { Dialer } from './dialer';
import type { Greeting } from './greeting';
import { openGreeting } from './greeting';
import { hostKeyProblem, identificationProblem } from './host-key-policy';
import type { HostKeyPolicy } from './host-key-policy';

export interface LoginRequest {
  readonly user: string;
  /** OpenSSH private key, PEM. */
  readonly privateKey: string;
  readonly hostKey: HostKeyPolicy;
  readonly signal?: AbortSignal;
  /** How long everything up to the login may take, in milliseconds. Default 20,000. */
  readonly timeoutMs?: number;
  /** Milliseconds between keepalive requests; after three without an answer the connection is lost. Default 15,000. */
  readonly keepaliveMs?: number;
}

export interface ConnectRequest extends LoginRequest {
  readonly host: string;
  readonly port: number;
  /** Where the connection is made. Default: this machine. */
  readonly dialer?: Dialer;
}

const DEFAULT_TIMEOUT_MS = 20_000;
const DEFAULT_KEEPALIVE_MS = 15_000;
const KEEPALIVES_WITHOUT_ANSWER = 3;

type Ssh2Error = Error & { level?: string };

/**
 * Opens a TCP connection and logs in. The host key is checked during the key exchange, before a user name or a key
 * is sent. Throws `unverified-host-key`, `denied` (the host refused the key), `unreachable`, `timed-out` or `aborted`.
 */
export async function connect(request: ConnectRequest): Promise<HostChannel> {
  const started = performance.now();
  const greeting = await greet(request);
  return logInBy(started, greeting, request);
}

/**
 * Logs in over a stream whose server has identified itself: one that a knock opened, or any other that carries SSH.
 * From now on the channel owns the stream, even if this throws. Throws the same errors as `connect`.
 */
export const logIn = (greeting: Greeting, request: LoginRequest): Promise<HostChannel> =>
  logInBy(performance.now(), greeting, request);

async function logInBy(started: number, greeting: Greeting, request: LoginRequest): Promise<HostChannel> {
  const { user, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  const { peer, stream, identification } = greeting;
  const stranger = identificationProblem(request.hostKey, identification, peer);
  if (stranger !== undefined) {
    stream.destroy();
    throw stranger;
  }
  const client = new Client();
  let hostKey: Buffer = Buffer.alloc(0);
  let keyProblem: MngrFargateError | undefined;

  await new Promise<void>((resolve, reject) => {
    const leftMs = Math.max(1, started + timeoutMs - performance.now());
    const settle = (outcome: () => void): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      outcome();
    };
    const fail = (error: MngrFargateError): void => {
      settle(() => reject(error));
      client.destroy();
      stream.destroy();
    };
    const onAbort = (): void =>
      fail(new MngrFargateError('aborted', `stopped logging in to ${peer}`, { cause: signal?.reason }));
    const timer = setTimeout(
      () => fail(new MngrFargateError('timed-out', `no SSH login at ${peer} within ${timeoutMs} ms`)),
      leftMs,
    );
    client
      .once('ready', () => settle(resolve))
      .on('error', (error: Ssh2Error) => fail(keyProblem ?? loginProblem(error, peer, user)))
      .on('close', () => fail(keyProblem ?? unreachable(peer, new Error('the connection was closed'))));
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) {
      onAbort();
      return;
    }
    try {
      client.connect({
        sock: stream,
        username: user,
        privateKey: request.privateKey,
        authHandler: ['publickey'],
        algorithms: ALGORITHMS,
        readyTimeout: 0,
        keepaliveInterval: request.keepaliveMs ?? DEFAULT_KEEPALIVE_MS,
        keepaliveCountMax: KEEPALIVES_WITHOUT_ANSWER,
        hostVerifier: (key: Buffer): boolean => {
          keyProblem = hostKeyProblem(request.hostKey, identification, key, peer);
          hostKey = key;
          return keyProblem === undefined;
        },
      });
    } catch (error) {
      fail(refusedSettings(peer, error as Error));
    }
  });
  return new SshChannel(client, hostKey, `${user}@${peer}`);
}

async function greet(request: ConnectRequest): Promise<Greeting> {
  const { host, port, dialer, signal, timeoutMs = DEFAULT_TIMEOUT_MS } = request;
  const attempt = openGreeting({ host, port, timeoutMs, dialer });
  const onAbort = (): void => attempt.abandon();
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();
  try {
    return await attempt.greeting;
  } catch (error) {
    if (signal?.aborted)
      throw new MngrFargateError('aborted', `stopped connecting to ${host} port ${port}`, { cause: signal.reason });
    if (isMngrFargateError(error)) throw error;
    throw unreachable(`${host} port ${port}`, error as Error);
  } finally {
    signal?.removeEventListener('abort', onAbort);
  }
}

function loginProblem(error: Ssh2Error, peer: string, user: string): MngrFargateError {
  if (error.level === 'client-authentication') {
    return new MngrFargateError('denied', `the host at ${peer} refused this machine's key for ${user}`, {
      cause: error,
      hint: 'the key must be the one that the host was created with, or one of its authorized keys',
    });
  }
  if (error.level === 'handshake' && /no matching/i.test(error.message)) {
    return new MngrFargateError(
      'unverified-host-key',
      `the machine at ${peer} does not speak this host's algorithms: ${error.message}`,
      { cause: error, hint: 'hosts have an Ed25519 host key; another machine may answer in the host’s place' },
    );
  }
  if (error.level === 'handshake' || error.level === 'protocol') {
    return new MngrFargateError('unreachable', `the machine at ${peer} ended the SSH connection: ${error.message}`, {
      cause: error,
      hint: 'a firewall or a proxy on the way may change SSH connections: try again from another network',
    });
  }
  return unreachable(peer, error);
}

/** ssh2 refuses its own settings before it connects; of ours, only the key comes from outside. */
const refusedSettings = (peer: string, error: Error): MngrFargateError =>
  new MngrFargateError('failed', `cannot log in to ${peer}: ${error.message}`, {
    cause: error,
    hint: /privateKey/.test(error.message)
      ? "the host's key on this machine is damaged: restore it from a backup, or destroy the host and create it again"
      : undefined,
  });

const unreachable = (peer: string, cause: Error): MngrFargateError =>
  new MngrFargateError('unreachable', `cannot reach SSH at ${peer}: ${reasonOf(cause) ?? cause.message}`, {
    cause,
    hint: 'check that the host is running, and that its security group lets this machine reach it (context key `sshCidr`)',
  });
