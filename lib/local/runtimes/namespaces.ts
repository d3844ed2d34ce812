import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** How tasks get namespaces of their own on this machine. */
export interface Namespaces {
  /** `unshare` and its options, up to the program to run. */
  readonly unshare: readonly string[];
  /** Where a task's writes go: a folder of its own, or memory where the disk's file system can't take an overlay. */
  readonly writes: 'disk' | 'memory';
  /** Appended to the overlay's options. */
  readonly overlayOptions: string;
}

const OWN = ['--pid', '--mount', '--uts', '--ipc'];

/**
 * Bash forks the first process of the PID namespace and passes on how it ended. `unshare --fork` doesn't always:
 * version 2.38 exits with 1 when the process was killed with SIGKILL.
 */
const FORK = ['/bin/bash', '-p', '-c', '"$@"; exit "$?"', 'task'];

/**
 * Candidates, best first. Without root a user namespace with a range of ids is needed, since sshd changes to other
 * users; `--map-auto` takes the range from /etc/subuid (util-linux 2.38, package uidmap).
 */
function candidates(): Namespaces[] {
  const root = process.getuid?.() === 0;
  const unshare = [
    '/usr/bin/unshare',
    ...(root ? [] : ['--user', '--map-root-user', '--map-auto']),
    ...OWN,
    '--',
    ...FORK,
  ];
  const overlayOptions = root ? '' : ',userxattr';
  return [
    { unshare, writes: 'disk', overlayOptions },
    { unshare, writes: 'memory', overlayOptions },
  ];
}

/**
 * Finds out what works here by doing it: runs `true` as a task would run. Undefined where namespaces can't be had:
 * other systems than Linux, and containers without the right to mount.
 */
export async function findNamespaces(stateDirectory: string, script: string): Promise<Namespaces | undefined> {
  if (process.platform !== 'linux') return undefined;
  for (const candidate of candidates()) {
    const folder = await mkdtemp(join(stateDirectory, 'probe-'));
    try {
      const task = [
        folder,
        folder,
        candidate.writes,
        candidate.overlayOptions,
        'probe',
        '127.0.0.1',
        '/',
        'exec',
        'true',
      ];
      const [program = '', ...args] = [...candidate.unshare, '/bin/bash', '-p', script, ...task];
      await run(program, args, { timeout: 20_000 });
      return candidate;
    } catch {
      // Not permitted or not supported: the next candidate.
    } finally {
      await removeFolder(folder, candidate);
    }
  }
  return undefined;
}

/** Removes a task's folder, with files that belong to the ids of a user namespace too. */
export async function removeFolder(folder: string, namespaces: Namespaces | undefined): Promise<void> {
  try {
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  } catch (error) {
    if (namespaces === undefined || !namespaces.unshare.includes('--map-auto')) throw error;
    await run('/usr/bin/unshare', ['--user', '--map-root-user', '--map-auto', 'rm', '-rf', '--', folder]);
  }
}
