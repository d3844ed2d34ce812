import { execFile, spawn } from 'node:child_process';
import { closeSync, readlinkSync, statSync } from 'node:fs';
import type { Host } from '../host/host';
import { openForChild } from '../host/pipes';
import { findProcesses, processFacts } from '../host/processes';
import type { CommandPipes } from './journal';
import { MARK, quote } from './shell-text';
import type { RunUser } from './users';

export interface ProgramRequest {
  readonly argv: readonly string[];
  readonly cwd: string | undefined;
  readonly env: Readonly<Record<string, string>>;
  readonly user: RunUser;
  readonly terminal: { readonly cols: number; readonly rows: number } | undefined;
  readonly pipes: CommandPipes;
}

export interface ProgramEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
}

/** Starts a program in a process group of its own. Rejects with the reason, for people, if it can't be started. */
export async function startProgram(
  host: Host,
  request: ProgramRequest,
  onExit: (end: ProgramEnd) => void,
): Promise<{ readonly pid: number; readonly startTime: number }> {
  const { pipes, user, terminal } = request;
  const cwd = request.cwd ?? host.startFolder(user.home);
  const argv = terminal === undefined ? request.argv : inTerminal(request.argv, terminal);
  const [file = '', ...args] = argv;
  const open = [
    openForChild(pipes.stdin ?? '/dev/null', 'r'),
    openForChild(pipes.stdout, 'w'),
    openForChild(pipes.stderr, 'w'),
  ];
  const secret = pipes.secret === undefined ? undefined : openForChild(pipes.secret, 'r');
  if (secret !== undefined) open.push(secret);
  const stdio: (number | undefined)[] = open.slice(0, 3);
  if (secret !== undefined) stdio[9] = secret;
  const env = {
    ...host.environment(user),
    ...(terminal === undefined ? {} : { TERM: 'xterm-256color' }),
    ...request.env,
  };
  try {
    const child = spawn(file, args, {
      detached: true,
      stdio: Array.from(stdio, (entry) => entry ?? 'ignore'),
      cwd,
      env,
      ...(host.root ? { uid: user.uid, gid: user.gid } : {}),
    });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
    const pid = child.pid as number;
    child.once('exit', (exitCode, signal) => onExit({ exitCode, signal: signal?.slice(3) ?? null }));
    child.unref();
    return { pid, startTime: processFacts(pid)?.startTime ?? 0 };
  } catch (error) {
    throw new Error(whyNot(error as NodeJS.ErrnoException, request.argv[0] ?? '', cwd), { cause: error });
  } finally {
    for (const descriptor of open) closeSync(descriptor);
  }
}

/** util-linux's script(1) makes the terminal; `stty` in it sets the size before the program starts. */
const inTerminal = (
  argv: readonly string[],
  { cols, rows }: { readonly cols: number; readonly rows: number },
): string[] => [
  'script',
  '--quiet',
  '--flush',
  '--return',
  '--command',
  `stty cols ${cols} rows ${rows} 2>/dev/null; exec ${argv.map(quote).join(' ')}`,
  '/dev/null',
];

function whyNot(error: NodeJS.ErrnoException, program: string, cwd: string): string {
  let folder = false;
  try {
    folder = statSync(cwd).isDirectory();
  } catch {
    // Not there.
  }
  if (!folder) return `${cwd} is not a folder: name one that exists as cwd`;
  if (error.code === 'ENOENT') return `there is no program ${JSON.stringify(program)}: name one that is installed`;
  if (error.code === 'EACCES') return `the user may not run ${JSON.stringify(program)} in ${cwd}`;
  if (error.code === 'E2BIG') return 'arguments and environment are too long: send less, or through stdin';
  if (error.code === 'EAGAIN') return 'the user has as many processes as are allowed: end some';
  return `${JSON.stringify(program)} cannot be started: ${error.message}`;
}

/** Sets the size of a program's terminal, which tells the program with WINCH. */
export function resizeTerminal(id: string, size: { readonly cols: number; readonly rows: number }): Promise<boolean> {
  const terminal = findProcesses({ marks: [`${MARK}=${id}`] })
    .map(({ pid }) => terminalOf(pid))
    .find((path) => path !== undefined);
  if (terminal === undefined) return Promise.resolve(false);
  return new Promise((resolve) =>
    execFile('stty', ['-F', terminal, 'cols', String(size.cols), 'rows', String(size.rows)], (error) =>
      resolve(error === null),
    ),
  );
}

function terminalOf(pid: number): string | undefined {
  try {
    const path = readlinkSync(`/proc/${pid}/fd/0`);
    return /^\/dev\/pts\/\d+$/.test(path) ? path : undefined;
  } catch {
    return undefined;
  }
}
