import { createConnection } from 'node:net';
import type { Duplex } from 'node:stream';
import type { AnyAuthMethod, AuthenticationType, AuthHandlerMiddleware } from 'ssh2';
import { Client } from 'ssh2';
import { MngrFargateError } from '../../contract/errors';
import { abortedError } from '../../util/abort';
import { systemProblem } from '../../util/system-error';
import { SshChannel } from '../channel';
import { bastionKeyProblem, hostKeyAlgorithms, otherKindOfKey, readKnownServer } from './hop-host-key';
import type { HopKeys } from './hop-keys';
import { hopKeys } from './hop-keys';
import type { HopSettings } from './hop-settings';

const LOGIN_TIMEOUT_MS = 20_000;
const KEEPALIVE_MS = 15_000;
const KEEPALIVES_WITHOUT_ANSWER = 3;

type Ssh2Error = Error & { level?: string };

/** Opens a stream to the bastion: through the one before it, or from here. */
export type OpenStream = (host: string, port: number, signal?: AbortSignal) => Promise<Duplex>;

export const bastionName = ({ user, host, port }: HopSettings): string => `${user}@${host} port ${port}`;

/**
 * Logs in to a bastion with the user's own keys, if it has the key that their known_hosts names. Throws
 * `unverified-host-key`, `denied`, `unreachable`, `timed-out`, `aborted`.
 */
export async function logInToHop(settings: HopSettings, open: OpenStream, signal: AbortSignal): Promise<SshChannel> {
  const name = bastionName(settings);
  const late = AbortSignal.timeout(LOGIN_TIMEOUT_MS);
  const either = AbortSignal.any([signal, late]);
  const [keys, known] = await Promise.all([hopKeys(settings), readKnownServer(settings)]);
  const client = new Client();
  let stream: Duplex | undefined;
  let hostKey: Buffer = Buffer.alloc(0);
  let keyProblem: MngrFargateError | undefined;
  const asked: Asked = { left: [], partly: false };
  try {
    stream = await open(settings.host, settings.port, either);
    await new Promise<void>((resolve, reject) => {
      either.addEventListener('abort', () => reject(either.reason as Error), { once: true });
      client
        .once('ready', () => resolve())
        .on('error', (error: Ssh2Error) => reject(keyProblem ?? loginProblem(error, settings, keys, asked)))
        .on('close', () => reject(keyProblem ?? unreachable(name, new Error('it closed the connection'))));
      client.connect({
        sock: stream,
        username: settings.user,
        authHandler: inTurn(keys.methods, asked),
        algorithms: { serverHostKey: hostKeyAlgorithms(known), compress: ['none'] },
        readyTimeout: 0,
        keepaliveInterval: KEEPALIVE_MS,
        keepaliveCountMax: KEEPALIVES_WITHOUT_ANSWER,
        hostVerifier: (key: Buffer): boolean => {
          keyProblem = bastionKeyProblem(key, known, settings);
          hostKey = key;
          return keyProblem === undefined;
        },
      });
    });
    return new SshChannel(client, hostKey, name);
  } catch (error) {
    client.destroy();
    stream?.destroy();
    if (signal.aborted) throw abortedError(`logging in to the bastion ${name}`, signal);
    if (!late.aborted) throw error;
    throw new MngrFargateError('timed-out', `no SSH login at the bastion ${name} within ${LOGIN_TIMEOUT_MS / 1000} s`, {
      hint: 'check the network and the VPN, and whether the bastion lets this machine in',
    });
  }
}

/** A TCP connection from here. Throws `unreachable`. The signal is for opening alone. */
export function openFromHere(host: string, port: number, signal?: AbortSignal): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true });
    const onAbort = (): void => void socket.destroy(signal?.reason as Error);
    signal?.addEventListener('abort', onAbort, { once: true });
    if (signal?.aborted) onAbort();
    socket
      .once('connect', () => {
        signal?.removeEventListener('abort', onAbort);
        resolve(socket);
      })
      // Never removed: an error before the handshake must not crash the process.
      .on('error', (error) => reject(unreachable(`${host} port ${port}`, error)));
  });
}

/** What the bastion still wants after the last refusal. */
interface Asked {
  left: readonly AuthenticationType[];
  partly: boolean;
}

function inTurn(methods: readonly AnyAuthMethod[], asked: Asked): AuthHandlerMiddleware {
  const rest = [...methods];
  return (left, partly, next) => {
    // At first nobody has asked for anything.
    if (Array.isArray(left)) Object.assign(asked, { left, partly });
    const method = rest.shift();
    next(method ?? (false as unknown as AnyAuthMethod));
  };
}

function loginProblem(error: Ssh2Error, settings: HopSettings, keys: HopKeys, asked: Asked): MngrFargateError {
  const name = bastionName(settings);
  if (error.level === 'client-authentication') return refused(name, keys, asked, error);
  if (error.level === 'handshake' && /no matching host key/i.test(error.message))
    return otherKindOfKey(settings, error);
  if (error.level === 'handshake' || error.level === 'protocol') {
    return new MngrFargateError('unreachable', `the bastion ${name} ended the SSH connection: ${error.message}`, {
      cause: error,
      hint: 'check that an SSH server answers there: another service may have the port, or a firewall changes the connection',
    });
  }
  return unreachable(name, error);
}

function refused(
  name: string,
  { offered, unusable }: HopKeys,
  { left, partly }: Asked,
  cause: Error,
): MngrFargateError {
  const details = { offered, unusable, wants: left };
  const more = unusable.length === 0 ? '' : `; not usable: ${unusable.join(', ')}`;
  if (partly) {
    const wants = left.join(' or ');
    return new MngrFargateError('denied', `the bastion ${name} accepts the key, and asks for ${wants} besides`, {
      cause,
      details,
      hint: 'only keys can be used for a bastion: ask who runs it for an account that needs nothing else',
    });
  }
  const tried = offered.length === 0 ? 'there is no key to log in with' : `it refused ${offered.join(', ')}`;
  return new MngrFargateError('denied', `cannot log in to the bastion ${name}: ${tried}${more}`, {
    cause,
    details,
    hint: 'add a key that it accepts to ssh-agent (ssh-add), or name its user: --proxy-jump USER@HOST',
  });
}

function unreachable(name: string, cause: Error): MngrFargateError {
  const problem = systemProblem(cause);
  return new MngrFargateError('unreachable', `cannot reach the bastion ${name}: ${problem?.reason ?? cause.message}`, {
    cause,
    hint: problem?.hint ?? 'check the network and the VPN, and that the bastion is running',
  });
}
