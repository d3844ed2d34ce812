import { createHash, randomBytes } from 'node:crypto';
import { cp, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';

const MODULES = join('src', 'imbue', 'mngr_fargate');

/** SHA-256 of each module of the plugin in a folder, by its name. */
export async function modulesOf(folder: string): Promise<Record<string, string>> {
  const names = (await readdir(join(folder, MODULES))).filter((name) => name.endsWith('.py'));
  const digests = names.map(async (name) => {
    const content = await readFile(join(folder, MODULES, name));
    return [name, createHash('sha256').update(content).digest('hex')] as const;
  });
  return Object.fromEntries(await Promise.all(digests));
}

/**
 * Where a copy of the plugin is kept for installers that return to its folder, uv and pipx:
 * `$XDG_DATA_HOME/mngr-fargate/plugin`.
 */
export function keptPluginFolder(environment: NodeJS.ProcessEnv): string {
  const data = environment.XDG_DATA_HOME || join(environment.HOME || homedir(), '.local', 'share');
  return join(data, 'mngr-fargate', 'plugin');
}

/**
 * Copies the plugin to where it is kept. mngr loads an editable install from its folder at each start, `pipx reinstall`
 * installs from it again, and this package's own folder may be a temporary cache (npx).
 */
export async function keepPlugin(source: string, target: string): Promise<void> {
  const fresh = `${target}.${randomBytes(6).toString('hex')}.new`;
  await mkdir(dirname(target), { recursive: true });
  try {
    await mkdir(fresh);
    for (const name of ['pyproject.toml', 'README.md', MODULES]) {
      await cp(join(source, name), join(fresh, name), { recursive: true, filter: (path) => !/__pycache__/.test(path) });
    }
    await rm(target, { recursive: true, force: true });
    await rename(fresh, target);
  } finally {
    await rm(fresh, { recursive: true, force: true });
  }
}
