import { basename, dirname, join } from 'node:path';
import { MngrFargateError } from '../../contract/errors';
import { isSupportedMngr, isSupportedPython, SUPPORTED_MNGR } from './mngr-version';
import type { PythonEnvironment } from './python-environment';
import { MNGR_PACKAGE, PLUGIN_PACKAGE } from './python-environment';

/** How mngr was installed. The same installer must install the plugin, or it would remove it again later. */
export type InstallKind = 'uv-tool' | 'pipx' | 'environment';

export interface InstallPlan {
  readonly kind: InstallKind;
  readonly command: readonly string[];
}

/** Installers found on the PATH. */
export interface Installers {
  readonly uv: string | undefined;
  readonly pipx: string | undefined;
}

/** Throws `not-found`, `usage` or `failed`, with what to do, for an environment that can't have the plugin. */
export function checkEnvironment(found: PythonEnvironment): void {
  const { python, pythonVersion, mngrVersion } = found;
  if (mngrVersion === null) {
    throw new MngrFargateError('not-found', `${MNGR_PACKAGE} is not installed for ${python}`, {
      hint: 'name the Python that runs mngr: its path is in the first line of the mngr script',
    });
  }
  if (!isSupportedPython(pythonVersion)) {
    throw new MngrFargateError('usage', `${python} is Python ${pythonVersion}, and the plugin needs 3.12 or later`);
  }
  if (!isSupportedMngr(mngrVersion)) {
    throw new MngrFargateError(
      'usage',
      `${MNGR_PACKAGE} ${mngrVersion} is installed, and the plugin works with ${SUPPORTED_MNGR}`,
      {
        hint: `install another version of mngr, for example with "uv tool install '${MNGR_PACKAGE}${SUPPORTED_MNGR}'"`,
      },
    );
  }
}

/**
 * The command that installs the plugin. `source` is its folder. It is recorded in a uv tool's receipt and in pipx's
 * metadata, so that upgrades keep it. Throws `failed` if nothing can install into the environment.
 */
export function planInstall(found: PythonEnvironment, source: string, { uv, pipx }: Installers): InstallPlan {
  const { python, prefix } = found;
  if (found.isUvTool) {
    if (uv === undefined) throw missing('uv', 'mngr was installed as a uv tool');
    return { kind: 'uv-tool', command: [join(dirname(python), 'mngr'), 'plugin', 'add', '--path', source] };
  }
  if (found.isPipx) {
    if (pipx === undefined) throw missing('pipx', 'mngr was installed by pipx');
    return { kind: 'pipx', command: [pipx, 'inject', '--force', basename(prefix), source] };
  }
  if (found.isExternallyManaged) {
    throw new MngrFargateError(
      'failed',
      `${python} is managed by the operating system and does not allow packages to be installed`,
      {
        hint: `install mngr in an environment of its own: "uv tool install ${MNGR_PACKAGE}"`,
      },
    );
  }
  // Neither changes what mngr itself needs: it is installed already, or mngr would not run.
  if (found.hasPip) {
    const pip = [python, '-m', 'pip', 'install', '--no-input', '--disable-pip-version-check'];
    return { kind: 'environment', command: [...pip, '--force-reinstall', '--no-deps', source] };
  }
  if (uv !== undefined) {
    const pip = [uv, 'pip', 'install', '--python', python];
    return { kind: 'environment', command: [...pip, '--no-deps', '--reinstall-package', PLUGIN_PACKAGE, source] };
  }
  throw new MngrFargateError('failed', `${python} has no pip, and uv is not on the PATH`, {
    hint: `run "${python} -m ensurepip", or install uv`,
  });
}

const missing = (program: string, because: string): MngrFargateError =>
  new MngrFargateError('failed', `${because}, and ${program}, which must install the plugin, is not on the PATH`, {
    hint: `put ${program} on the PATH`,
  });
