import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

/** Runs `work` while no other process of this machine does the same under this name. Locks of dead processes don't count. */
export async function withMachineLock<T>(name: string, work: () => Promise<T>): Promise<T> {
  const folder = join(tmpdir(), `mngr-fargate-${name}.lock`);
  const owner = join(folder, 'pid');
  while (!(await taken(folder))) {
    const pid = Number(await readFile(owner, 'utf8').catch(() => ''));
    if (pid > 0 && !isRunning(pid)) await rm(folder, { recursive: true, force: true });
    else await sleep(200);
  }
  try {
    await writeFile(owner, String(process.pid));
    return await work();
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function taken(folder: string): Promise<boolean> {
  try {
    await mkdir(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw error;
  }
}

export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
