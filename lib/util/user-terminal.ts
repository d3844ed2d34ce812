import { Transform } from 'node:stream';
import type { Writable } from 'node:stream';
import type { TerminalSize, UserTerminal } from '../contract/user-terminal';

/** A program's terminal elsewhere. */
export interface RemoteTerminal {
  /** What is typed there. */
  readonly input: Writable;
  resize(size: TerminalSize): void;
}

/** What Ctrl-D types: the end of the input where a line begins, and the end of a line elsewhere. */
const END_OF_INPUT = '\x04';
const NEWLINE = 10;

/** Undefined where the output is no terminal, or one whose size nobody has set. */
export const terminalSize = ({ stdout: { columns = 0, rows = 0 } }: UserTerminal): TerminalSize | undefined =>
  columns > 0 && rows > 0 ? { columns, rows } : undefined;

/**
 * Gives the user's terminal to a program elsewhere: keys go there as they are, Ctrl-C among them, and it follows the size.
 * An input that is no terminal is typed there, and Ctrl-D at its end. The result puts everything back; so does the end of
 * this process.
 */
export function giveTerminal(terminal: UserTerminal, remote: RemoteTerminal): () => void {
  const { stdin, stdout } = terminal;
  const onResize = (): void => {
    const size = terminalSize(terminal);
    if (size !== undefined) remote.resize(size);
  };
  const setRawMode = (raw: boolean): void => {
    if (stdin.isTTY === true) stdin.setRawMode?.(raw);
  };
  const restoreMode = (): void => setRawMode(false);
  setRawMode(true);
  // The second signal ends the program at once.
  process.once('exit', restoreMode);
  stdout.on('resize', onResize);
  const keys = stdin.isTTY === true ? stdin : stdin.pipe(typed());
  keys.pipe(remote.input, { end: false });
  return () => {
    keys.unpipe(remote.input);
    stdin.unpipe();
    stdin.pause();
    stdout.off('resize', onResize);
    process.off('exit', restoreMode);
    restoreMode();
  };
}

/** Adds the end of the input as it is typed: twice after an unfinished line. */
function typed(): Transform {
  let last = NEWLINE;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      last = chunk.at(-1) ?? last;
      done(null, chunk);
    },
    flush(done) {
      done(null, last === NEWLINE ? END_OF_INPUT : END_OF_INPUT + END_OF_INPUT);
    },
  });
}
