import type { Duplex } from 'node:stream';
import type { Client, ClientChannel, PseudoTtyOptions, SFTPWrapper } from 'ssh2';
import type { ChannelExecOptions, CommandExit, HostChannel, RemoteFiles } from '../contract/channel';
import { MngrFargateError } from '../contract/errors';
import { REMOTE_TERM } from '../contract/user-terminal';
import type { UserTerminal } from '../contract/user-terminal';
import { orAborted, throwIfAborted } from '../util/abort';
import { terminalSize } from '../util/user-terminal';
import { channelProblem } from './channel-problem';
import { execIn } from './exec';
import { SftpFiles } from './sftp-files';

/** What SSH is asked for: it has a usual size where none is known. */
function ptyFor(terminal: UserTerminal): PseudoTtyOptions {
  const size = terminalSize(terminal);
  return { term: REMOTE_TERM, ...(size === undefined ? {} : { cols: size.columns, rows: size.rows }) };
}

/** The channel to a host over an ssh2 client that has logged in. */
export class SshChannel implements HostChannel {
  private lost: Error | undefined;

  constructor(
    private readonly client: Client,
    readonly hostKey: Buffer,
    readonly where: string,
  ) {
    client.on('error', (error: Error) => {
      this.lost ??= error;
    });
    client.on('close', () => {
      this.lost ??= new Error('the connection was closed');
    });
  }

  async exec(command: string, options: ChannelExecOptions = {}): Promise<CommandExit> {
    throwIfAborted(`the command at ${this.where}`, options.signal);
    const { terminal } = options;
    const settings = terminal === undefined ? {} : { pty: ptyFor(terminal) };
    const channel = await this.open<ClientChannel>('start a command', (done) =>
      this.client.exec(command, settings, done),
    );
    const exit = await execIn(channel, this.where, options);
    if (exit !== undefined) return exit;
    throw new MngrFargateError('unreachable', `the connection to ${this.where} was lost before the command ended`, {
      cause: this.lost,
    });
  }

  async files(): Promise<RemoteFiles> {
    return new SftpFiles(await this.open<SFTPWrapper>('start SFTP', (done) => this.client.sftp(done)));
  }

  forward(host: string, port: number, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Duplex> {
    return this.connectTo(
      `${host} port ${port}`,
      (done) => this.client.forwardOut('127.0.0.1', 0, host, port, done),
      signal,
    );
  }

  forwardSocket(path: string, { signal }: { readonly signal?: AbortSignal } = {}): Promise<Duplex> {
    return this.connectTo(path, (done) => this.client.openssh_forwardOutStreamLocal(path, done), signal);
  }

  /** A stream from the other end to an address there. One that opens after it was given up is closed. */
  private async connectTo(
    address: string,
    call: (done: (error: Error | undefined, stream: ClientChannel) => void) => void,
    signal: AbortSignal | undefined,
  ): Promise<Duplex> {
    const doing = `connecting to ${address} from ${this.where}`;
    throwIfAborted(doing, signal);
    const opening = this.open<ClientChannel>(`connect to ${address}`, call, true);
    try {
      return await orAborted(opening, doing, signal);
    } catch (error) {
      opening.then(
        (stream) => stream.destroy(),
        () => undefined,
      );
      throw error;
    }
  }

  lostBecause(): Error | undefined {
    return this.lost;
  }

  close(): void {
    this.lost ??= new Error('the connection was closed here');
    this.client.end();
  }

  /** Wraps an ssh2 call that opens something. ssh2 throws synchronously if the connection is already lost. */
  private open<T>(
    doing: string,
    call: (done: (error: Error | undefined, opened: T) => void) => void,
    leads = false,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void =>
        reject(channelProblem(error, { doing, where: this.where, lost: this.lost, leads }));
      // A client that was ended here still takes calls for a moment, and never answers them.
      if (this.lost !== undefined) return fail(this.lost);
      try {
        call((error, opened) => (error === undefined ? resolve(opened) : fail(error)));
      } catch (error) {
        fail(error as Error);
      }
    });
  }
}
