import { execFile } from 'node:child_process';
import { statSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/**
 * Makes the namespaces, then bash forks the first process of the PID namespace and passes on how it ended.
 * `unshare --fork` doesn't always: version 2.38 exits with 1 when the process was killed with SIGKILL.
 */
export const IN_NAMESPACES = [
  ...['/usr/bin/unshare', '--pid', '--mount', '--uts', '--ipc', '--'],
  // Otherwise a program run by .bashrc would be that first process, and nothing could be started after it ended.
  ...['/bin/bash', '--norc', '-p', '-c', '"$@"; exit "$?"', 'task'],
] as const;

/** Words before a command that run it in the namespaces of a process, and in the file system that it sees. */
export const enterNamespaces = (pid: number): readonly string[] => [
  ...['/usr/bin/nsenter', '--target', String(pid), '--pid', '--mount', '--uts', '--ipc', '--'],
];

/** True once the process sees another root than this one; false also when it has ended. */
export function hasOwnRoot(pid: number): boolean {
  try {
    const [own, root] = [statSync(`/proc/${pid}/root/`), statSync('/')];
    return own.dev !== root.dev || own.ino !== root.ino;
  } catch {
    return false;
  }
}

/** Where a task's writes go: its own folder, or memory if the disk's file system doesn't support an overlay. */
export type WriteLayer = 'disk' | 'memory';

/** Why tasks can't have namespaces. */
export interface Refusal {
  readonly because: string;
}

/**
 * Finds out what works here by trying it: runs `true` as a task would run. Refused without root, on systems other than
 * Linux, and in containers that may not mount.
 */
export async function findWriteLayer(stateDirectory: string, script: string): Promise<WriteLayer | Refusal> {
  if (process.platform !== 'linux') return { because: `${process.platform} has none` };
  if (process.getuid?.() !== 0) return { because: 'only root may make them' };
  let because = '';
  for (const layer of ['disk', 'memory'] as const) {
    const folder = await mkdtemp(join(stateDirectory, 'probe-'));
    try {
      const [program, ...args] = IN_NAMESPACES;
      const task = [folder, folder, layer, 'probe', '127.0.0.1', '/', 'exec', '0', 'true'];
      await run(program, [...args, '/bin/bash', '-p', script, ...task], { timeout: 20_000 });
      return layer;
    } catch (error) {
      // Not permitted or not supported: the next one.
      const { stderr = '', message } = error as Error & { stderr?: string };
      because = stderr.trim().split('\n').pop() || message;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  }
  return { because };
}
