import type { Readable } from 'node:stream';
import type { FileStatus, SearchMatch, WatchChange } from '../../contract/sandbox-files';
import type { CommandRequest, CommandStatus, EngineStatus, SignalName } from '../../contract/sandboxd';

export type { FileStatus, SearchMatch, WatchChange };

export interface Call {
  readonly signal?: AbortSignal;
}

/**
 * `sandboxd` in one host. Errors are SandboxError: `file_not_found`, `permission_denied`, `is_a_directory`, `not_a_directory`,
 * `file_exists`, `no_space`, `event_not_found`, `event_ended`, `bad_request`; `session_unavailable` when the connection is lost.
 */
export interface EngineClient {
  status(options?: Call): Promise<EngineStatus>;

  /** Starts nothing again under a known id. */
  start(id: string, request: CommandRequest, options?: Call): Promise<CommandStatus>;
  /** The same, and the output from its beginning: one request for both. `onTaken` is called once the engine knows it. */
  run(
    id: string,
    request: CommandRequest,
    options?: Call & { readonly onTaken?: () => void },
  ): AsyncIterable<EnginePiece>;
  command(id: string, options?: Call & { readonly waitMs?: number }): Promise<CommandStatus>;
  commands(options?: Call): Promise<readonly CommandStatus[]>;
  /** Ends after the `end` piece; throws `session_unavailable` if it was cut before. */
  output(
    id: string,
    options?: Call & { readonly from?: number; readonly follow?: boolean },
  ): AsyncIterable<EnginePiece>;
  stdin(id: string, data: Readable, options: Call & { readonly close: boolean }): Promise<void>;
  signal(id: string, name: SignalName, options?: Call): Promise<void>;
  resize(id: string, size: { readonly cols: number; readonly rows: number }, options?: Call): Promise<void>;
  forget(id: string, options?: Call): Promise<void>;
  endShell(name: string, options?: Call): Promise<void>;

  stat(path: string, options?: Call): Promise<FileStatus>;
  list(path: string, options?: Call): Promise<readonly FileStatus[]>;
  /** `start` and `end` are the first and last byte. Follows links, with the rights of the user. */
  read(
    path: string,
    options?: Call & { readonly start?: number; readonly end?: number },
  ): Promise<{ readonly status: FileStatus; readonly data: Readable }>;
  /** Atomic: the file has the old content or all of the new. Makes parent folders. Default mode: the old file's, else 0644. */
  write(path: string, data: Readable, options?: Call & { readonly mode?: number }): Promise<FileStatus>;
  makeDirectory(
    path: string,
    options?: Call & { readonly mode?: number; readonly parents?: boolean },
  ): Promise<FileStatus>;
  move(from: string, to: string, options?: Call & { readonly overwrite?: boolean }): Promise<FileStatus>;
  changeMode(path: string, mode: number, options?: Call & { readonly recursive?: boolean }): Promise<FileStatus>;
  remove(path: string, options?: Call & { readonly recursive?: boolean }): Promise<void>;
  /** A tar archive of the path; and the other way, into a folder, nothing outside it. */
  pack(path: string, options?: Call & { readonly gzip?: boolean }): Promise<Readable>;
  unpack(path: string, data: Readable, options?: Call & { readonly gzip?: boolean }): Promise<void>;
  watch(path: string, options?: Call & { readonly recursive?: boolean }): AsyncIterable<WatchChange>;
  /** By name (a glob), by content (a regular expression), or both. */
  search(
    path: string,
    what: { readonly name?: string; readonly content?: string; readonly limit?: number; readonly ignoreCase?: boolean },
    options?: Call,
  ): AsyncIterable<SearchMatch>;

  close(): void;
}

export type EnginePiece =
  | { readonly type: 'stdout' | 'stderr'; readonly offset: number; readonly bytes: Buffer }
  | { readonly type: 'gap'; readonly offset: number; readonly length: number }
  | { readonly type: 'alive' }
  | { readonly type: 'end'; readonly status: CommandStatus };
