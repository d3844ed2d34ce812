import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MngrFargateError } from '../../contract/errors';
import type { InstallKind, Installers, InstallPlan } from './install-plan';
import { checkEnvironment, planInstall } from './install-plan';
import { pythonOfMngr } from './mngr-python';
import { keepPlugin, keptPluginFolder, modulesOf } from './plugin-folder';
import type { PythonEnvironment } from './python-environment';
import { probePython } from './python-environment';
import { findOnPath, runProgram } from '../../util/run-program';

export interface InstallRequest {
  /** The plugin's folder, with its pyproject.toml. */
  readonly source: string;
  /** Python to install for. Default: the one that runs the `mngr` on the PATH. */
  readonly python?: string;
  readonly dryRun: boolean;
  readonly environment: NodeJS.ProcessEnv;
  readonly signal?: AbortSignal;
}

export interface InstalledPlugin {
  readonly python: string;
  readonly prefix: string;
  readonly mngrVersion: string;
  readonly kind: InstallKind;
  /** The plugin's version afterwards and before; null if there was none. */
  readonly pluginVersion: string | null;
  readonly previousVersion: string | null;
  /** False if exactly this plugin was already installed. */
  readonly changed: boolean;
  readonly dryRun: boolean;
  /** What was, or would be, run. */
  readonly command: readonly string[];
}

/**
 * Installs the plugin where mngr runs. Throws `not-found`, `usage` or `failed`, if possible before anything is changed.
 */
export async function installPlugin(request: InstallRequest): Promise<InstalledPlugin> {
  const { source, dryRun, environment, signal } = request;
  const python = request.python ?? (await pythonOfMngr(environment));
  const before = await probePython(python, environment, signal);
  checkEnvironment(before);
  const [uv, pipx] = await Promise.all([findOnPath('uv', environment), findOnPath('pipx', environment)]);
  const installers: Installers = { uv, pipx };
  const place = before.isUvTool || before.isPipx ? keptPluginFolder(environment) : source;
  const plan = planInstall(before, place, installers);
  const modules = await modulesOf(source);
  const changed = !(await isInstalled(before, modules, place));
  if (changed && !dryRun) {
    if (place !== source) await keepPlugin(source, place);
    await install(plan, environment, signal);
  }
  const after = changed && !dryRun ? await probePython(python, environment, signal) : before;
  if (changed && !dryRun && !(await isInstalled(after, modules, place))) {
    throw new MngrFargateError(
      'failed',
      `${plan.command.join(' ')} succeeded, but ${python} still has another version of the plugin`,
      {
        hint: 'remove imbue-mngr-fargate from that environment and run this again',
      },
    );
  }
  return {
    python: before.python,
    prefix: before.prefix,
    mngrVersion: before.mngrVersion ?? '',
    kind: plan.kind,
    pluginVersion: after.pluginVersion,
    previousVersion: before.pluginVersion,
    changed,
    dryRun,
    command: plan.command,
  };
}

/** True if the environment has exactly these modules, as a copy or in the folder where they stay. */
async function isInstalled(
  found: PythonEnvironment,
  modules: Readonly<Record<string, string>>,
  place: string,
): Promise<boolean> {
  if (found.pluginVersion === null) return false;
  if (found.pluginEditable === null) return isDeepStrictEqual(found.pluginFiles, modules);
  if (found.pluginEditable !== new URL(`file://${place}`).href) return false;
  return isDeepStrictEqual(await modulesOf(place).catch(() => ({})), modules);
}

/**
 * mngr is started in an empty home directory: with settings that name the missing plugin, it would fail before it could
 * install the plugin.
 */
async function install(plan: InstallPlan, environment: NodeJS.ProcessEnv, signal?: AbortSignal): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'mngr-fargate-install-'));
  try {
    const run = await runProgram(plan.command, {
      environment: { ...environment, MNGR_HOST_DIR: folder },
      workingDirectory: folder,
      signal,
    });
    if (run.exitCode === 0) return;
    const said = (run.stderr.trim() || run.stdout.trim()).split('\n');
    throw new MngrFargateError('failed', `${plan.command.join(' ')} ended with exit code ${run.exitCode}`, {
      hint: said.at(-1),
      details: { exitCode: run.exitCode, output: said.slice(-20) },
    });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
