import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { ChannelExecOptions, CommandExit } from '../contract/channel';
import { MngrFargateError } from '../contract/errors';
import { abortedError } from '../util/abort';

/**
 * Passes the streams of a command that was just started, and waits for its end; undefined where the connection is lost
 * before that. Throws `aborted` (the channel is closed; sshd leaves a process running that notices no closed pipe) and
 * `failed` when an output stream of ours fails.
 */
export async function execIn(
  channel: ClientChannel,
  where: string,
  options: ChannelExecOptions,
): Promise<CommandExit | undefined> {
  const { signal } = options;
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
  const onAbort = (): void => interrupt(abortedError(`the command at ${where}`, signal));
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
  return exitCode === undefined ? undefined : { exitCode, signal: name?.replace(/^SIG/, '') ?? null };
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
function feed(channel: ClientChannel, stdin: ChannelExecOptions['stdin']): () => void {
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
