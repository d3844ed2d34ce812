import type { Duplex, Readable, Writable } from 'node:stream';
import type { UserTerminal } from './user-terminal';

/**
 * An authenticated connection to a host whose key has been verified. The launcher does everything on a host through one.
 * `lib/ssh` implements it over TCP and over any other stream that carries SSH.
 */
export interface HostChannel {
  /** The other end for messages, for example `root@10.0.0.7 port 22`. */
  readonly where: string;
  /** The verified host key in SSH wire form, for pinning. */
  readonly hostKey: Buffer;
  /**
   * Runs one command line in the user's login shell at the other end, with stdout and stderr kept separate.
   * Throws `aborted` (the command may keep running there), `unreachable` if the channel is lost before the command ends,
   * and `failed` if one of the given output streams fails.
   */
  exec(command: string, options?: ChannelExecOptions): Promise<CommandExit>;
  /** Opens access to the other end's files. Throws `unreachable`. */
  files(): Promise<RemoteFiles>;
  /**
   * Opens a connection from the other end to an address that it can reach, as a stream.
   * Throws `unreachable` with the reason that the other end gives, or `aborted`.
   */
  forward(host: string, port: number, options?: { readonly signal?: AbortSignal }): Promise<Duplex>;
  /** Opens a connection to a Unix socket of the other end, by its absolute path, as a stream. Throws like `forward`. */
  forwardSocket(path: string, options?: { readonly signal?: AbortSignal }): Promise<Duplex>;
  /** Why the channel ended; undefined while it is open. */
  lostBecause(): Error | undefined;
  /** Closes the channel and everything running in it. Calling it again does nothing. */
  close(): void;
}

export interface ChannelExecOptions {
  /** Sent in full, then end of file. Default: empty input. */
  readonly stdin?: Readable | string | Buffer;
  /** Written to with backpressure and never ended. Default: the output is discarded. */
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  /** Runs the command on a terminal there, with these streams for its keys and its screen instead of those above. */
  readonly terminal?: UserTerminal;
  readonly signal?: AbortSignal;
}

/** How a remote command ended: with its exit code, or by the signal that killed it (without `SIG`). */
export interface CommandExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * Files at the other end of a channel: the calls that copying needs. Relative paths start in the login directory. Errors
 * have the `code` that Node's own file functions use: `ENOENT` for a file that does not exist, `EACCES` if permission is
 * denied; other errors have no code.
 */
export interface RemoteFiles {
  /** Follows links. */
  stat(path: string): Promise<RemoteFileStatus>;
  /** Doesn't follow a link. */
  lstat(path: string): Promise<RemoteFileStatus>;
  /** The entries of a folder, without `.` and `..`. The names come from the other end and must not be trusted. */
  list(path: string): Promise<readonly RemoteEntry[]>;
  readLink(path: string): Promise<string>;
  makeDirectory(path: string, mode: number): Promise<void>;
  makeLink(target: string, path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  changeMode(path: string, mode: number): Promise<void>;
  /** `w` truncates the file, or creates it with `mode`. */
  open(path: string, flags: 'r' | 'w', mode?: number): Promise<RemoteFile>;
  /** Rejects pending calls at once, without waiting for the network. */
  close(): void;
}

export type RemoteFileType = 'file' | 'directory' | 'link' | 'other';

export interface RemoteFileStatus {
  readonly type: RemoteFileType;
  /** Permission bits, as in chmod(1). */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

export interface RemoteEntry extends RemoteFileStatus {
  readonly name: string;
}

/** An open file at the other end. Positions are in bytes from the start of the file. */
export interface RemoteFile {
  /** Returns the number of bytes read into the buffer; 0 at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>;
  write(buffer: Buffer, position: number): Promise<void>;
  changeMode(mode: number): Promise<void>;
  close(): Promise<void>;
}
