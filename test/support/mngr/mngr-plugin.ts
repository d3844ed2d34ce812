import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPlugin } from '../../../lib/mngr';
import { mngrPython } from './mngr-tool';
import { installPythonTool } from '../run/python-tools';
import { ROOT } from '../run/paths';

export const PLUGIN_FOLDER = join(ROOT, 'plugin');

/** Both ends of the versions that the plugin supports, and the last one of the older interface. */
export const MNGR_VERSIONS = ['0.3.0', '0.2.17', '0.2.13'] as const;
export type MngrVersion = (typeof MNGR_VERSIONS)[number];

const LINT = ['mypy==2.4.1', 'ruff==0.17.5'];

const requirementsOf = (file: string): string[] => readFileSync(join(__dirname, file), 'utf8').trim().split('\n');

function requirementsFor(version: MngrVersion): string[] {
  if (version === '0.3.0') return [...requirementsOf('mngr-requirements.txt'), ...LINT];
  return [`imbue-mngr==${version}`, 'pytest==9.2.0', ...requirementsOf('mngr-requirements-0.2.txt')];
}

/**
 * The folder with the programs of a released mngr that has this plugin, installed by the product itself. The
 * environment is of the suite that asks for it: whoever comes next may find another state of the plugin in it.
 */
export async function installMngrWithPlugin(version: MngrVersion, suite = 'plugin'): Promise<string> {
  const name = `mngr-${version}-${suite}`;
  const programs = await installPythonTool({
    name,
    requirements: requirementsFor(version),
    interpreter: mngrPython(),
  });
  const python = join(programs, 'python');
  await installPlugin({ source: PLUGIN_FOLDER, python, dryRun: false, environment: process.env });
  return programs;
}
