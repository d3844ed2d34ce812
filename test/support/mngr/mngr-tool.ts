import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { installPythonTool } from '../run/python-tools';
import type { Requirement } from '../run/requirements';

/** mngr needs this Python or a newer one. */
const OLDEST_MINOR = 12;

/** Interpreters that may be there: on the PATH, and pyenv's, which its shims hide unless they are chosen. */
function interpreters(): string[] {
  const versions = join(process.env.PYENV_ROOT ?? join(homedir(), '.pyenv'), 'versions');
  const pyenv = ((): string[] => {
    try {
      return readdirSync(versions).map((version) => join(versions, version, 'bin', 'python3'));
    } catch {
      return [];
    }
  })();
  return ['python3', 'python3.12', 'python3.13', 'python3.14', ...pyenv];
}

const IS_NEW_ENOUGH = `import ensurepip, sys, venv; sys.exit(sys.version_info < (3, ${OLDEST_MINOR}))`;

function canRunMngr(interpreter: string): boolean {
  try {
    execFileSync(interpreter, ['-c', IS_NEW_ENOUGH], { stdio: 'ignore', timeout: 20_000 });
    return true;
  } catch {
    return false;
  }
}

let found: string | undefined;
/** A Python for mngr; undefined where there is none. */
export const mngrPython = (): string | undefined => (found ??= interpreters().find(canRunMngr));

export const pythonForMngr: Requirement = {
  missing: () =>
    mngrPython() === undefined ? `no Python 3.${OLDEST_MINOR} or newer with venv is installed` : undefined,
};

/**
 * The folder with the programs of a released mngr, installed from PyPI with what it needs, all of it pinned
 * (mngr-requirements.txt). Each `name` is an environment of its own, for what else is put into it.
 */
export function installMngr(name = 'mngr-0.3.0'): Promise<string> {
  const requirements = readFileSync(join(__dirname, 'mngr-requirements.txt'), 'utf8').trim().split('\n');
  return installPythonTool({ name, requirements, interpreter: mngrPython() });
}
