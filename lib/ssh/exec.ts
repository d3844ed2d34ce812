import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import { MngrFargateError } from '../contract/errors';
import type { SshConnection } from './connection';
import { TextSink } from './text-sink';

export interface RemoteExecOptions {
  /** Sent whole and followed by end of file; none means empty input. */
  readonly stdin?: Readable | string | Buffer;
  /** Written to with backpressure and never ended. Without one the output is thrown away. */
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly signal?: AbortSignal;
}

/** How a remote command ended: its exit code, or the signal that killed it (without `SIG`). */
export interface RemoteExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * Runs one command line in the login shell of the user at the other end; the two outputs stay apart.
 * Throws `aborted` (the channel is closed; sshd leaves a process that notices no closed pipe running), `unreachable` when the connection is
 * lost before the command has ended, `failed` when an output stream of ours fails.
 */
export async function exec(
  connection: SshConnection,
  command: string,
  options: RemoteExecOptions = {},
): Promise<RemoteExit> {
  const { signal } = options;
  throwIfAborted(connection, signal);
  const channel = await openChannel(connection, command);
  // Input that arrives after the command has ended cannot be written any more, which is no failure.
  channel.on('error', () => undefined);

  let interruption: MngrFargateError | undefined;
  let interrupted = (): void => undefined;
  const interruptedFirst = new Promise<void>((resolve) => {
    interrupted = resolve;
  });
  const interrupt = (reason: MngrFargateError): void => {
    interruption ??= reason;
    interrupted();
    channel.close();
    channel.resume();
    channel.stderr.resume();
  };
  const onAbort = (): void => interrupt(aborted(connection, signal));
  // With the arguments of 'exit', which may be over by now: the end of a short command can come in one piece with the
  // answer to its request, and ssh2 tells at once of all that is in a piece. This one waits until the output is read.
  const closed = once(channel, 'close') as Promise<[code?: number | null, signal?: string]>;
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();

  const unpipe = [
    forward(channel, options.stdout, interrupt),
    forward(channel.stderr, options.stderr, interrupt),
    feed(channel, options.stdin),
  ];
  // The channel's end can outrun its error output, which is a stream of its own.
  const drained = new Promise<void>((resolve) => {
    if (channel.stderr.readableEnded) resolve();
    channel.stderr.once('end', () => resolve());
  });
  try {
    await Promise.race([closed, interruptedFirst]);
    if (interruption === undefined) await drained;
  } finally {
    signal?.removeEventListener('abort', onAbort);
    for (const undo of unpipe) undo();
  }
  if (interruption !== undefined) throw interruption;
  const [exitCode, name] = await closed;
  if (exitCode === undefined) {
    const cause = connection.lostBecause();
    throw new MngrFargateError(
      'unreachable',
      `the connection to ${connection.where} was lost before the command ended`,
      { cause },
    );
  }
  return { exitCode, signal: name?.replace(/^SIG/, '') ?? null };
}

/** exec with both outputs as text. */
export async function run(
  connection: SshConnection,
  command: string,
  options: Pick<RemoteExecOptions, 'stdin' | 'signal'> = {},
): Promise<RemoteExit & { readonly stdout: string; readonly stderr: string }> {
  const stdout = new TextSink();
  const stderr = new TextSink();
  const exit = await exec(connection, command, { ...options, stdout, stderr });
  return { ...exit, stdout: stdout.text(), stderr: stderr.text() };
}

function openChannel(connection: SshConnection, command: string): Promise<ClientChannel> {
  return new Promise((resolve, reject) => {
    const fail = (error: Error): void =>
      reject(
        new MngrFargateError('unreachable', `cannot start a command at ${connection.where}: ${error.message}`, {
          cause: connection.lostBecause() ?? error,
        }),
      );
    try {
      connection.client.exec(command, (error, channel) => {
        if (error === undefined) resolve(channel);
        else fail(error);
      });
    } catch (error) {
      fail(error as Error);
    }
  });
}

/** Pipes an output to where the caller wants it; a destination that fails or closes ends the command. */
function forward(
  source: Readable,
  destination: Writable | undefined,
  interrupt: (reason: MngrFargateError) => void,
): () => void {
  if (destination === undefined) {
    source.resume();
    return () => undefined;
  }
  const onError = (error: Error): void =>
    interrupt(
      new MngrFargateError('failed', `cannot pass on the command's output: ${error.message}`, { cause: error }),
    );
  const onClose = (): void => onError(new Error('the output stream was closed'));
  destination.on('error', onError).on('close', onClose);
  source.pipe(destination, { end: false });
  return () => {
    source.unpipe(destination);
    destination.off('error', onError).off('close', onClose);
  };
}

/** Sends the input. A command that ends without reading it all is no error: the rest stays with the caller. */
function feed(channel: ClientChannel, stdin: RemoteExecOptions['stdin']): () => void {
  if (stdin === undefined || typeof stdin === 'string' || Buffer.isBuffer(stdin)) {
    channel.end(stdin);
    return () => undefined;
  }
  const onError = (): void => void channel.end();
  stdin.on('error', onError);
  stdin.pipe(channel);
  return () => {
    stdin.unpipe(channel);
    stdin.off('error', onError);
    stdin.pause();
  };
}

const aborted = (connection: SshConnection, signal: AbortSignal | undefined): MngrFargateError =>
  new MngrFargateError('aborted', `stopped the command at ${connection.where}`, { cause: signal?.reason });

function throwIfAborted(connection: SshConnection, signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw aborted(connection, signal);
}
