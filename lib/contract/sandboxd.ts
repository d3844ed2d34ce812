/**
 * What the sandbox service and `sandboxd`, the engine in a sandbox's host, say to each other: HTTP/1.1 on a unix socket of
 * the host, which the service reaches over the host's SSH connection. Every request carries `Authorization: Bearer TOKEN`.
 * Errors are `{"error": CODE, "detail": TEXT}` with a fitting status. Offsets and sizes are bytes, times are Unix
 * milliseconds, durations are milliseconds.
 *
 * | request                              | what it does                                                                     |
 * |--------------------------------------|----------------------------------------------------------------------------------|
 * | `GET /v1/status`                     | `EngineStatus`                                                                   |
 * | `PUT /v1/commands/ID`                | starts (or queues) the `CommandRequest` in the body; `CommandStatus`. A known ID starts nothing again. |
 * | `GET /v1/commands`                   | `CommandStatus[]`                                                                |
 * | `GET /v1/commands/ID?wait=MS`        | `CommandStatus`, when it has ended or the time is up                             |
 * | `GET /v1/commands/ID/output?from=O`  | frames (below) from offset O up to the end frame; `&follow=0` doesn't wait       |
 * | `POST /v1/commands/ID/stdin?close=1` | the body, streamed to the command's stdin with back-pressure                     |
 * | `POST /v1/commands/ID/signal`        | `{"signal": "TERM"}` to the command's processes; HUP, INT, QUIT, KILL and TERM also make a shell leave it |
 * | `POST /v1/commands/ID/resize`        | `{"cols", "rows"}` of its terminal                                               |
 * | `DELETE /v1/commands/ID`             | kills it if it runs, and forgets its output                                      |
 * | `DELETE /v1/shells/NAME`             | ends a shell and every process of it                                             |
 * | `POST /v1/end`                       | ends all commands, their processes and the engine, and removes its folder        |
 * | `…/v1/files/…`                       | files, with the rights of the sandbox's user (docker/sandboxd/files)             |
 */
export const SANDBOXD_VERSION = 1;

/** Codes of the engine's errors. */
export type SandboxdErrorCode =
  | 'bad_request'
  | 'unauthorized'
  | 'permission_denied'
  | 'route_not_found'
  | 'event_not_found'
  | 'file_not_found'
  | 'is_a_directory'
  | 'not_a_directory'
  | 'file_exists'
  | 'directory_not_empty'
  | 'event_ended'
  | 'too_large'
  | 'range_not_satisfiable'
  | 'no_space'
  | 'internal';

/** Folder of the engine in the host, root's: socket, hash of the token, state, output. Only its pipes can be reached by others. */
export const SANDBOXD_DIRECTORY = '/run/mngr-sandboxd';
/** The user whose rights commands and file routes have by default, its home and its first folder. */
export const SANDBOX_USER = { name: 'sandbox', uid: 1000, gid: 1000, home: '/home/sandbox' } as const;
export const WORKSPACE = '/workspace';

/** Signals that a command may be sent, without `SIG`. */
export const SIGNALS = [
  'HUP',
  'INT',
  'QUIT',
  'KILL',
  'USR1',
  'USR2',
  'PIPE',
  'TERM',
  'CONT',
  'STOP',
  'TSTP',
  'WINCH',
] as const;
export type SignalName = (typeof SIGNALS)[number];

/** `none`: end of file at once. `open`: what `/stdin` sends. `offered`: the same, and end of file if nothing comes for a while. */
export type StdinMode = 'none' | 'open' | 'offered';

/** How long an offered stdin waits for its first `/stdin`, from the command's start. */
export const STDIN_OFFER_SECONDS = 10;

export interface CommandRequest {
  /** A command line for the named shell session, whose `cd`, `export`, functions and so on stay. Commands of a shell run in order. */
  readonly shell?: string;
  readonly command?: string;
  /** Or a program with arguments, started at once and without a shell. Exactly one of `command` and `argv`. */
  readonly argv?: readonly string[];
  /** Default: the shell's current folder; for `argv`, WORKSPACE. In a shell it holds for this command alone. */
  readonly cwd?: string;
  /** For this command alone. Never kept on disk. */
  readonly env?: Readonly<Record<string, string>>;
  /** Then TERM to the group, and KILL after `graceMs` (default 2,000). Absent: no limit. */
  readonly timeoutMs?: number;
  readonly graceMs?: number;
  /** Name or uid. Default SANDBOX_USER. Only for `argv`. */
  readonly user?: string;
  /** Default `none`. */
  readonly stdin?: StdinMode;
  /** A terminal of this size instead of pipes; stdin is open, and all output is stdout. Only for `argv`. */
  readonly terminal?: { readonly cols: number; readonly rows: number };
  /** Text that the command can read once from file descriptor 9: credentials, which then are in no argument and no variable. */
  readonly secret?: string;
  /** How much output is kept, both streams together; the middle of more is dropped. Default 64 MiB. */
  readonly outputLimit?: number;
}

export type CommandState = 'queued' | 'running' | 'ended';

/** How a command ended. Exactly one of the reasons. */
export interface CommandResult {
  /** `exit`: by itself; `signal`: killed; `timeout`: its time was up; `lost`: the engine or the machine died with it; `refused`: it could not be started. */
  readonly reason: 'exit' | 'signal' | 'timeout' | 'lost' | 'refused';
  readonly exitCode: number | null;
  /** Without `SIG`. */
  readonly signal: string | null;
  /** Why it was refused or lost, for people. */
  readonly detail?: string;
  readonly durationMs: number;
  /** Bytes written to each stream, dropped ones included. */
  readonly stdoutBytes: number;
  readonly stderrBytes: number;
  /** Bytes dropped from the middle, both streams together. */
  readonly droppedBytes: number;
}

export interface CommandStatus {
  readonly id: string;
  readonly state: CommandState;
  readonly shell: string | null;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  /** Offset up to which there is output. */
  readonly offset: number;
  readonly result: CommandResult | null;
}

export interface EngineStatus {
  readonly version: number;
  /** Digest of the engine's own file. */
  readonly digest: string;
  readonly pid: number;
  readonly startedAt: number;
  readonly running: number;
  readonly queued: number;
  readonly shells: readonly string[];
  readonly memoryBytes: number;
}

/**
 * Output is one log a command: bytes of both streams in the order in which the engine read them, with one running offset.
 * A frame is type (1 byte), offset of its first byte (8 bytes, big-endian), length (4 bytes, big-endian) and that many bytes.
 */
export const FRAME = {
  stdout: 1,
  stderr: 2,
  /** So many bytes from the offset on were dropped: the payload is the number, as decimal text. */
  gap: 3,
  /** The last frame: a `CommandStatus` as JSON. A stream that ends without it was cut, and is read on from the last offset. */
  end: 4,
  /** Every 15 s on a silent stream; empty. */
  alive: 5,
} as const;
export const FRAME_HEADER_BYTES = 13;

export interface Frame {
  readonly type: number;
  readonly offset: number;
  readonly payload: Buffer;
}

export interface FrameHeader {
  readonly type: number;
  readonly offset: number;
  /** Bytes of the payload, which follows. */
  readonly length: number;
}

export function encodeFrameHeader({ type, offset, length }: FrameHeader): Buffer {
  const header = Buffer.allocUnsafe(FRAME_HEADER_BYTES);
  header.writeUInt8(type, 0);
  header.writeBigUInt64BE(BigInt(offset), 1);
  header.writeUInt32BE(length, 9);
  return header;
}

export const encodeFrame = (type: number, offset: number, payload: Uint8Array): Buffer =>
  Buffer.concat([encodeFrameHeader({ type, offset, length: payload.length }), payload]);

/** The header at a place of the bytes, which must have all of it. */
export const decodeFrameHeader = (bytes: Buffer, at = 0): FrameHeader => ({
  type: bytes.readUInt8(at),
  offset: Number(bytes.readBigUInt64BE(at + 1)),
  length: bytes.readUInt32BE(at + 9),
});
