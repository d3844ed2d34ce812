import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import type { ClientChannel } from 'ssh2';
import type { ChannelExecOptions, CommandExit } from '../contract/channel';
import { MngrFargateError } from '../contract/errors';
import type { UserTerminal } from '../contract/user-terminal';
import { abortedError } from '../util/abort';
import { giveTerminal } from '../util/user-terminal';

/**
 * Connects the streams of a command that was just started, and waits for it to end. Returns undefined if the connection is
 * lost before that. Throws `aborted` (the channel is closed, but a process that doesn't notice a closed pipe keeps running)
 * and `failed` if one of our output streams fails.
 */
export async function execIn(
  channel: ClientChannel,
  where: string,
  options: ChannelExecOptions,
): Promise<CommandExit | undefined> {
  const { signal } = options;
  // Input that arrives after the command has ended can't be written. That is not a failure.
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
  // 'close' has the same arguments as 'exit', which may already have been emitted: a short command can end in the same
  // packet that answers the request, and ssh2 emits everything in a packet at once. 'close' waits for the output.
  const closed = once(channel, 'close') as Promise<[code?: number | null, signal?: string]>;
  signal?.addEventListener('abort', onAbort, { once: true });
  if (signal?.aborted) onAbort();

  const { terminal } = options;
  const unpipe = [
    forward(channel, terminal?.stdout ?? options.stdout, interrupt),
    forward(channel.stderr, options.stderr, interrupt),
    terminal === undefined ? feed(channel, options.stdin) : attach(channel, terminal),
  ];
  // The channel can end before its stderr, which is a separate stream.
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

/** Pipes an output to the caller's stream. If that stream fails or closes, the command is ended. */
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

/** Connects the keys and the size of the user's terminal. */
const attach = (channel: ClientChannel, terminal: UserTerminal): (() => void) =>
  giveTerminal(terminal, {
    input: channel,
    resize: ({ columns, rows }) => channel.setWindow(rows, columns, 0, 0),
  });

/** Sends the input. It is not an error if the command ends before it has read everything. */
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
