import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { constants } from 'node:os';
import { PassThrough, pipeline } from 'node:stream';
import type { Readable } from 'node:stream';
import { MngrFargateError } from '../../contract/errors';
import { shellCommand, shellQuote } from '../../util/shell-quote';
import { killWords, readPreamble, sttySize, withPreamble } from './exec-preamble';
import type { ExecRequest, TaskProcess } from './runtime';

/** Where a task's further processes are started. */
export interface ExecPlace {
  /** Words before a command that run it in the task's namespaces; none if tasks don't have their own. */
  readonly enter: readonly string[];
  readonly environment: Readonly<Record<string, string>>;
  /** As the task sees it. */
  readonly workingDirectory: string;
}

/** What Docker gives a process with a terminal. */
const DEFAULT_TERM = 'xterm';
/** By its path, since a task's PATH is the task's own. util-linux brings it, as it does unshare and nsenter. */
const SCRIPT = '/usr/bin/script';

/** Starts a process in a task that runs as processes. Throws CommandNotStartedError. */
export async function execInPlace(place: ExecPlace, request: ExecRequest): Promise<TaskProcess> {
  const { argv, terminal } = request;
  const environment = {
    ...(terminal === undefined ? {} : { TERM: DEFAULT_TERM }),
    ...place.environment,
    ...request.environment,
  };
  const words = withPreamble(place.workingDirectory, request);
  const child =
    terminal === undefined
      ? start([...place.enter, ...words], environment)
      : start([...place.enter, ...inTerminal(words, environment)], { ...environment, SHELL: '/bin/sh' });
  await once(child, 'spawn');
  const exitCode = new Promise<number>((resolve) => {
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
  const stderr = kept(child.stderr);
  const started = await readPreamble(child.stdout, argv[0] ?? '');
  const inTask = async (command: readonly string[]): Promise<void> => {
    await once(start([...place.enter, ...command], place.environment), 'exit');
  };
  return {
    stdin: child.stdin,
    stdout: kept(child.stdout),
    stderr: terminal === undefined ? stderr : undefined,
    exitCode,
    kill: (signal) => inTask(killWords(started.pid, signal)),
    resize: async (size) => {
      if (terminal === undefined) return;
      await inTask(['/bin/sh', '-c', `command -p stty -F "$1" ${sttySize(size)}`, 'sh', started.terminal]);
    },
  };
}

/**
 * The words that run a command in a terminal of its own. Node has no call for one, and script(1), which is there
 * wherever namespaces are, makes it in the task's own /dev/pts and hands the exit code on.
 */
function inTerminal(words: readonly string[], { SHELL: shell }: Readonly<Record<string, string>>): readonly string[] {
  if (process.platform !== 'linux') {
    throw new MngrFargateError('usage', 'terminals in tasks that run as processes need Linux', {
      hint: 'start Docker or Podman to run tasks in containers',
    });
  }
  const restore = shell === undefined ? 'unset SHELL' : `export SHELL=${shellQuote(shell)}`;
  const command = `${restore}; exec ${shellCommand(words)}`;
  return [SCRIPT, '--quiet', '--return', '--flush', '--echo', 'always', '--command', command, '/dev/null'];
}

/** The stream's data, even if it is read only after the process has ended, when Node would discard it. */
const kept = (stream: Readable): Readable => pipeline(stream, new PassThrough(), () => undefined);

function start(words: readonly string[], environment: Readonly<Record<string, string>>) {
  const [program = '', ...rest] = words;
  const child = spawn(program, rest, { cwd: '/', env: environment, stdio: 'pipe' });
  // A writer to a process that has ended learns of it from its exit.
  child.stdin.on('error', () => undefined);
  return child satisfies ChildProcess;
}
