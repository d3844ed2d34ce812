import type { Readable, Writable } from 'node:stream';

/** Size of a terminal, in characters. */
export interface TerminalSize {
  readonly columns: number;
  readonly rows: number;
}

/** The streams of whoever uses a program on a terminal elsewhere. Either may be something else than a terminal, such as a pipe. */
export interface UserTerminal {
  readonly stdin: Readable & { readonly isTTY?: boolean; setRawMode?(raw: boolean): unknown };
  readonly stdout: Writable & { readonly columns?: number; readonly rows?: number };
}

/** The TERM of a program on a terminal of ours, the same as AWS's agent sets. Every system knows it. */
export const REMOTE_TERM = 'xterm-256color';
