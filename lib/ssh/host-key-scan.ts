import { Client } from 'ssh2';
import { MngrFargateError } from '../contract/errors';
import { ALGORITHMS } from './algorithms';
import { hostKeyProblem, identificationProblem } from './host-key-policy';
import { knock } from './knock';

export interface HostKeyScanRequest {
  readonly host: string;
  readonly port: number;
  /** The boot nonce. The server's identification string must prove its key with it. */
  readonly nonce: string;
  /** How long the server may take to answer and show its key, in milliseconds. */
  readonly timeoutMs: number;
}

/**
 * Returns the host key, in SSH wire form, of a server that proves it. Doesn't log in: the connection is closed after the
 * key exchange. Throws `unreachable` when nothing answers in time, `unverified-host-key` when another machine answers.
 */
export async function scanHostKey(request: HostKeyScanRequest): Promise<Buffer> {
  const { host, port, timeoutMs } = request;
  const started = performance.now();
  const where = `${host} port ${port}`;
  const policy = { type: 'proof', nonce: request.nonce } as const;
  const { stream, identification } = await knock(host, port, { timeoutMs });
  const client = new Client();
  try {
    const stranger = identificationProblem(policy, identification, where);
    if (stranger !== undefined) throw stranger;
    return await new Promise<Buffer>((resolve, reject) => {
      const left = Math.max(1, timeoutMs - (performance.now() - started));
      const late = setTimeout(() => fail(new Error(`no key exchange within ${timeoutMs} ms`)), left);
      let key: Buffer = Buffer.alloc(0);
      let keyProblem: MngrFargateError | undefined;
      const fail = (error: Error): void => {
        clearTimeout(late);
        const message = `cannot learn the host key at ${where}: ${error.message}`;
        reject(keyProblem ?? new MngrFargateError('unreachable', message, { cause: error }));
      };
      client.on('error', fail).on('close', () => fail(new Error('the connection was closed')));
      // At this point the server has signed the key exchange with its key.
      client.on('handshake', () => {
        clearTimeout(late);
        resolve(key);
      });
      client.connect({
        sock: stream,
        username: 'nobody',
        authHandler: () => false,
        algorithms: ALGORITHMS,
        readyTimeout: 0,
        hostVerifier: (shown: Buffer): boolean => {
          key = shown;
          keyProblem = hostKeyProblem(policy, identification, shown, where);
          return keyProblem === undefined;
        },
      });
    });
  } finally {
    client.destroy();
    stream.destroy();
  }
}
