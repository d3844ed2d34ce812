import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from '../../../lib/util/file-lock';
import { ROOT } from '../run/paths';
import type { Requirement } from '../run/requirements';

const CACHE = join(ROOT, 'node_modules/.cache/mngr-fargate/agents');

/** The package and the version that the image has of an agent (docker/agents.txt). */
function pinned(name: string): string {
  const lines = readFileSync(join(ROOT, 'docker/agents.txt'), 'utf8').split('\n');
  const line = lines.map((text) => text.split(/\s+/)).find(([first]) => first === name);
  if (line === undefined) throw new Error(`docker/agents.txt has no ${name}`);
  return `${line[1]}@${line[2]}`;
}

const folderOf = (name: string): string => join(CACHE, pinned(name).replaceAll('/', '+'));
const markerOf = (name: string): string => join(folderOf(name), 'installed');

/** A real coding agent: it was installed before, or the npm registry answers. */
export const codingAgent = (name: string): Requirement => ({
  missing: () => {
    if (existsSync(markerOf(name))) return undefined;
    try {
      execFileSync('npm', ['view', pinned(name), 'version'], { stdio: 'ignore', timeout: 30_000 });
      return undefined;
    } catch {
      return `${pinned(name)} is not installed, and the npm registry does not answer`;
    }
  },
});

/**
 * The folder with the agent's command. Installs it on first use, below node_modules/.cache, as the image has it; later
 * calls find it there.
 */
export async function installCodingAgent(name: string): Promise<string> {
  const folder = folderOf(name);
  const install = async (): Promise<void> => {
    if (existsSync(markerOf(name))) return;
    await rm(folder, { recursive: true, force: true });
    await mkdir(folder, { recursive: true });
    const words = ['install', '--global', '--prefix', folder, '--no-audit', '--no-fund', pinned(name)];
    await promisify(execFile)('npm', words, { maxBuffer: 16 * 1024 * 1024 });
    await writeFile(markerOf(name), '');
  };
  await mkdir(CACHE, { recursive: true });
  // Hundreds of megabytes, on a busy machine.
  if (!existsSync(markerOf(name))) await withFileLock(folder, install, { timeoutMs: 15 * 60_000 });
  return join(folder, 'bin');
}
