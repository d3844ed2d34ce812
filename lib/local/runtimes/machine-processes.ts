import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync, readlinkSync } from 'node:fs';
import type { TaskAddress } from './runtime';

/**
 * A process for certain: its pid and when it started, since the machine uses pids again. The start is the text that
 * `identity` of process-scripts.ts writes: on Linux the start in clock ticks and the boot id, elsewhere `ps -o lstart=`.
 */
export interface ProcessIdentity {
  readonly pid: number;
  readonly start: string;
}

/** Reads `<pid> <start>` as the task's scripts write it; undefined when the file isn't there yet. */
export function readIdentity(file: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(file, 'utf8').trim();
  } catch {
    return undefined;
  }
  const space = text.indexOf(' ');
  return space < 0 ? undefined : { pid: Number(text.slice(0, space)), start: text.slice(space + 1) };
}

/** True while this very process runs (a zombie doesn't). */
export function isAlive(identity: ProcessIdentity): boolean {
  return startOf(identity.pid) === identity.start;
}

/** Sends a signal to this very process, or to the group it leads; nothing happens when it has ended. */
export function signal(identity: ProcessIdentity & { readonly group?: boolean }, name: NodeJS.Signals): void {
  if (!isAlive(identity)) return;
  try {
    process.kill(identity.group === true ? -identity.pid : identity.pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

function startOf(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
      // The name in parentheses may hold anything; the state is the field after it and the start the 22nd of all.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
      return `${fields[19]} ${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
    } catch {
      return undefined;
    }
  }
  try {
    const [state, ...start] = ps('-o', 'state=,lstart=', '-p', String(pid)).trim().split(/\s+/);
    return state === undefined || state.startsWith('Z') ? undefined : start.join(' ');
  } catch {
    return undefined;
  }
}

/**
 * Processes that a task without a namespace of its own has left: those that have the task's folder in their
 * environment, arguments, working directory or open files, and those with a connection to the task's sshd, whose
 * address is left out where it isn't this container's.
 */
export function processesOf(folder: string, address: TaskAddress | undefined): number[] {
  const found = process.platform === 'linux' ? processesOnLinux(folder, address) : processesByPs(folder);
  return found.filter((pid) => pid !== process.pid);
}

function processesOnLinux(folder: string, address: TaskAddress | undefined): number[] {
  const sockets = address === undefined ? new Set<string>() : socketsAt(address);
  const mentions = (text: string): boolean => text.split('\0').some((part) => part.includes(folder));
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .filter((pid) => {
      const texts = [
        () => read(`/proc/${pid}/cmdline`),
        () => read(`/proc/${pid}/environ`),
        () => link(`/proc/${pid}/cwd`),
      ];
      if (texts.some((text) => mentions(text()))) return true;
      return openFiles(pid).some((target) => target.startsWith(`${folder}/`) || sockets.has(target));
    })
    .map(Number);
}

function processesByPs(folder: string): number[] {
  return ps('-axwwE', '-o', 'pid=,command=')
    .split('\n')
    .filter((line) => line.includes(folder))
    .map((line) => Number.parseInt(line, 10));
}

const ps = (...args: string[]): string =>
  execFileSync('ps', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    stdio: ['ignore', 'pipe', 'ignore'],
  });

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function link(file: string): string {
  try {
    return readlinkSync(file);
  } catch {
    return '';
  }
}

function openFiles(pid: string): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => link(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

/** Names (`socket:[inode]`) of the TCP sockets whose local end is the address. */
function socketsAt(address: TaskAddress): Set<string> {
  const ip = address.ip.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  const local = `${ip.reverse().join('')}:${address.port.toString(16).padStart(4, '0')}`.toUpperCase();
  const rows = read('/proc/net/tcp').split('\n').slice(1);
  const fields = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[1] === local);
  return new Set(fields.map((row) => `socket:[${row[9]}]`));
}
