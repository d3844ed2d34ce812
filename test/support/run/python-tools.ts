import { execFile, execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { withFileLock } from '../../../lib/util/file-lock';
import type { Requirement } from './requirements';
import { ROOT } from './paths';

const run = promisify(execFile);
/** The release of uv that installs tools here, as pip writes it. */
export const UV = 'uv==0.13.8';
const UV_TOOL: PythonTool = { name: 'uv', requirements: [UV] };
/** Where the tools are, and what they keep. */
export const PYTHON_CACHE = join(ROOT, 'node_modules/.cache/mngr-fargate/python');

/** A program written in Python that tests run; `requirements` pin it and what it needs, as pip writes them. */
export interface PythonTool {
  /** Name of its virtual environment. */
  readonly name: string;
  readonly requirements: readonly string[];
  /** Python to make the environment with. Default `python3`. */
  readonly interpreter?: string;
}

/** Python that can make virtual environments; Debian has that in a package of its own, python3-venv. */
export const python: Requirement = {
  missing: () => {
    try {
      execFileSync('python3', ['-c', 'import ensurepip, venv'], { stdio: 'ignore' });
      return undefined;
    } catch {
      return 'python3 with venv is not installed';
    }
  },
};

/**
 * The folder with the tool's programs (`…/bin`). Installs the tool on first use, below node_modules/.cache; later calls
 * find it there. Test files that run side by side wait for one another.
 */
export async function installPythonTool(tool: PythonTool): Promise<string> {
  const folder = join(PYTHON_CACHE, tool.name);
  const marker = join(folder, 'installed');
  const wanted = createHash('sha256').update(tool.requirements.join('\n')).digest('hex');
  const isInstalled = async (): Promise<boolean> => (await readFile(marker, 'utf8').catch(() => '')) === wanted;

  if (!(await isInstalled())) {
    await mkdir(PYTHON_CACHE, { recursive: true });
    const install = async (): Promise<void> => {
      if (await isInstalled()) return;
      await rm(marker, { force: true });
      await installInto(folder, tool);
      await writeFile(marker, wanted);
    };
    // A large tool takes minutes on a busy machine.
    await withFileLock(folder, install, { timeoutMs: 15 * 60_000 });
  }
  return join(folder, 'bin');
}

/** By uv, which takes a tenth of pip's time for a large tool; by pip where uv can't, and for uv itself. */
const installInto = (folder: string, tool: PythonTool): Promise<void> =>
  tool.name === UV_TOOL.name ? byPip(folder, tool) : byUv(folder, tool).catch(() => byPip(folder, tool));

/** Python compiles what it imports on first use, which is a fraction of what is installed. */
async function byUv(folder: string, { requirements, interpreter = 'python3' }: PythonTool): Promise<void> {
  const uv = join(await installPythonTool(UV_TOOL), 'uv');
  await run(uv, ['venv', '--quiet', '--clear', '--seed', '--no-python-downloads', '--python', interpreter, folder]);
  await run(uv, ['pip', 'install', '--quiet', '--python', folder, ...requirements]);
}

async function byPip(folder: string, { requirements, interpreter = 'python3' }: PythonTool): Promise<void> {
  await run(interpreter, ['-m', 'venv', '--clear', folder]);
  const words = ['install', '--quiet', '--disable-pip-version-check', '--no-input', ...requirements];
  await run(join(folder, 'bin/pip'), words, { maxBuffer: 16 * 1024 * 1024 });
}
