import type { Readable } from 'node:stream';
import { CommandNotStartedError } from './runtime';
import type { ExecRequest, TerminalSize } from './runtime';

/**
 * What a process of exec does before it becomes the command: it goes to the working directory, looks whether the
 * program can be started, and says so in one line with its process id and terminal. POSIX sh, so that every image with
 * a shell can run it. Nothing is assigned outside a subshell: the command's environment is the task's.
 *
 * Arguments: the working directory, what stty is to set in the terminal, then the command.
 */
const PREAMBLE = `
startable() (
  case $1 in
  */*)
    if ! test -e "$1"; then echo 'failed no such file or directory'; return 1; fi
    if test -d "$1" || ! test -x "$1"; then echo 'failed permission denied'; return 1; fi
    return 0 ;;
  esac
  IFS=:
  for folder in $PATH; do
    if test -f "\${folder:-.}/$1" && test -x "\${folder:-.}/$1"; then return 0; fi
  done
  echo 'failed executable file not found in $PATH'
  return 1
)
cd "$1" 2>/dev/null || cd /
if test -n "$2"; then command -p stty $2; fi
shift 2
startable "$1" || exit 127
echo "started $$ $(command -p tty)"
exec "$@"
`;

/** The words that run a command after the preamble. */
export const withPreamble = (workingDirectory: string, { argv, terminal }: ExecRequest): readonly string[] => [
  '/bin/sh',
  '-c',
  PREAMBLE,
  'sh',
  workingDirectory,
  terminal === undefined ? '' : sttySize(terminal),
  ...argv,
];

/** The size of a terminal as arguments of stty. */
export const sttySize = ({ rows, columns }: TerminalSize): string => `rows ${Number(rows)} cols ${Number(columns)}`;

/** What the preamble has said. */
export interface Started {
  /** In the task's process ids. */
  readonly pid: number;
  /** Path of the terminal in the task's file system; meaningless without one. */
  readonly terminal: string;
}

/** Sends a signal to a process by its id; sh has `kill` built in. */
export const killWords = (pid: number, signal: NodeJS.Signals): readonly string[] => [
  '/bin/sh',
  '-c',
  'kill -s "$1" "$2"',
  'sh',
  signal.replace(/^SIG/, ''),
  String(pid),
];

/**
 * Reads the preamble's line off the command's output, and leaves the rest in the stream.
 * Throws CommandNotStartedError when the program, or the shell itself, can't be started.
 */
export async function readPreamble(stdout: Readable, program: string): Promise<Started> {
  const { line, complete } = await firstLine(stdout);
  const [, pid, terminal = ''] = /^started (\d+) (.*)$/.exec(line) ?? [];
  if (complete && pid !== undefined) return { pid: Number(pid), terminal };
  throw new CommandNotStartedError(program, line.replace(/^failed /, '') || 'it ended before it was started');
}

/** The first line of a stream without its end; what comes after it stays in the stream. */
function firstLine(stream: Readable): Promise<{ readonly line: string; readonly complete: boolean }> {
  return new Promise((resolve, reject) => {
    let seen = Buffer.alloc(0);
    const finish = (line: Buffer, complete: boolean): void => {
      stream.off('readable', onReadable).off('end', onEnd).off('error', reject);
      resolve({ line: line.toString('utf8').replace(/\r?\n?$/, ''), complete });
    };
    const onEnd = (): void => finish(seen, false);
    const onReadable = (): void => {
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
        seen = Buffer.concat([seen, chunk]);
        const end = seen.indexOf('\n') + 1;
        if (end === 0) continue;
        if (end < seen.length) stream.unshift(seen.subarray(end));
        finish(seen.subarray(0, end), true);
        return;
      }
    };
    stream.on('readable', onReadable).once('end', onEnd).once('error', reject);
  });
}
