import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { installPlugin } from '../../../lib/mngr';
import { withFileLock } from '../../../lib/util/file-lock';
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

/** Milliseconds that the installation in another suite may take on a busy machine. */
const INSTALLING_MS = 600_000;

/** The folder with the programs of a released mngr that has this plugin as it is now, installed by the product itself. */
export async function installMngrWithPlugin(version: MngrVersion): Promise<string> {
  const tool = { name: `mngr-${version}-plugin`, requirements: requirementsFor(version), interpreter: mngrPython() };
  const programs = await installPythonTool(tool);
  const request = { source: PLUGIN_FOLDER, python: join(programs, 'python'), environment: process.env };
  // Suites that run side by side share the environment.
  await withFileLock(programs, () => installPlugin({ ...request, dryRun: false }), { timeoutMs: INSTALLING_MS });
  return programs;
}
