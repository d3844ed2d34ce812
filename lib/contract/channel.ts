import type { Duplex, Readable, Writable } from 'node:stream';

/**
 * An authenticated way to a host whose key has been verified: everything that the launcher does on a host goes through
 * one. `lib/ssh` implements it over TCP, and over any other stream that carries SSH.
 */
export interface HostChannel {
  /** The other end for messages, for example `root@10.0.0.7 port 22`. */
  readonly where: string;
  /** The verified host key in SSH wire form, for pinning. */
  readonly hostKey: Buffer;
  /**
   * Runs one command line in the login shell of the user at the other end; the two outputs stay apart.
   * Throws `aborted` (the command may go on running there), `unreachable` when the channel is lost before the command has
   * ended, `failed` when one of the given output streams fails.
   */
  exec(command: string, options?: ChannelExecOptions): Promise<CommandExit>;
  /** Opens access to the other end's files. Throws `unreachable`. */
  files(): Promise<RemoteFiles>;
  /**
   * A connection from the other end to an address that can be reached there, as a stream.
   * Throws `unreachable` with the reason that the other end gives, `aborted`.
   */
  forward(host: string, port: number, options?: { readonly signal?: AbortSignal }): Promise<Duplex>;
  /** Why the channel ended; undefined while it is open. */
  lostBecause(): Error | undefined;
  /** Ends the channel and all that goes on in it. Can be called again without harm. */
  close(): void;
}

export interface ChannelExecOptions {
  /** Sent whole and followed by end of file. Default: empty input. */
  readonly stdin?: Readable | string | Buffer;
  /** Written to with backpressure and never ended. Default: the output is thrown away. */
  readonly stdout?: Writable;
  readonly stderr?: Writable;
  readonly signal?: AbortSignal;
}

/** How a remote command ended: with its exit code, or by the signal that killed it (without `SIG`). */
export interface CommandExit {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/**
 * Files at the other end of a channel: what copying needs. Relative paths start in the login directory. Failures carry
 * the `code` that Node's own file functions give: `ENOENT` where there is no such file, `EACCES` where permission is
 * denied; other failures have none.
 */
export interface RemoteFiles {
  /** Follows links. */
  stat(path: string): Promise<RemoteFileStatus>;
  /** Doesn't follow a link. */
  lstat(path: string): Promise<RemoteFileStatus>;
  /** The entries of a folder, without `.` and `..`. The names are the other end's and not to be trusted. */
  list(path: string): Promise<readonly RemoteEntry[]>;
  readLink(path: string): Promise<string>;
  makeDirectory(path: string, mode: number): Promise<void>;
  makeLink(target: string, path: string): Promise<void>;
  removeFile(path: string): Promise<void>;
  changeMode(path: string, mode: number): Promise<void>;
  /** `w` truncates, and makes the file with `mode` where there is none. */
  open(path: string, flags: 'r' | 'w', mode?: number): Promise<RemoteFile>;
  /** Rejects the calls that are under way at once, whatever the network does. */
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

/** An open file at the other end. Positions are in bytes from the file's beginning. */
export interface RemoteFile {
  /** Bytes read into the buffer; 0 at the end of the file. */
  read(buffer: Buffer, position: number): Promise<number>;
  write(buffer: Buffer, position: number): Promise<void>;
  changeMode(mode: number): Promise<void>;
  close(): Promise<void>;
}
