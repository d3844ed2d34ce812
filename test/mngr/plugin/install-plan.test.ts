import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkEnvironment, planInstall } from '../../../lib/mngr/plugin/install-plan';
import { isSupportedMngr, SUPPORTED_MNGR } from '../../../lib/mngr/plugin/mngr-version';
import type { PythonEnvironment } from '../../../lib/mngr/plugin/python-environment';
import { ROOT } from '../../support/run/paths';

const SOURCE = '/package/plugin';
const INSTALLERS = { uv: '/bin/uv', pipx: '/bin/pipx' };
const NONE = { uv: undefined, pipx: undefined };

const found: PythonEnvironment = {
  python: '/venv/bin/python',
  pythonVersion: '3.12.4',
  prefix: '/venv',
  mngrVersion: '0.3.0',
  isExternallyManaged: false,
  hasPip: true,
  isUvTool: false,
  isPipx: false,
  pluginVersion: null,
  pluginEditable: null,
  pluginFiles: {},
};

const planned = (change: Partial<PythonEnvironment>, installers = INSTALLERS) => {
  const { kind, command } = planInstall({ ...found, ...change }, SOURCE, installers);
  return `${kind}: ${command.join(' ')}`;
};

test('who installs', () => {
  expect(planned({})).toBe(
    'environment: /venv/bin/python -m pip install --no-input --disable-pip-version-check --force-reinstall --no-deps /package/plugin',
  );
  expect(planned({ hasPip: false })).toBe(
    'environment: /bin/uv pip install --python /venv/bin/python --no-deps --reinstall-package imbue-mngr-fargate /package/plugin',
  );
  expect(planned({ isUvTool: true, hasPip: false })).toBe('uv-tool: /venv/bin/mngr plugin add --path /package/plugin');
  expect(planned({ isPipx: true, prefix: '/home/me/venvs/imbue-mngr' })).toBe(
    'pipx: /bin/pipx inject --force imbue-mngr /package/plugin',
  );
});

test.each([
  [{ isUvTool: true }, 'mngr was installed as a uv tool, and uv, which must install the plugin, is not on the PATH'],
  [{ isPipx: true }, 'mngr was installed by pipx, and pipx, which must install the plugin, is not on the PATH'],
  [{ hasPip: false }, '/venv/bin/python has no pip, and uv is not on the PATH'],
  [
    { isExternallyManaged: true },
    '/venv/bin/python is managed by the operating system and does not allow packages to be installed',
  ],
])('is refused: %j', (change, message) => {
  expect(() => planned(change, NONE as never)).toThrow(message);
});

test.each([
  [{ mngrVersion: null }, 'imbue-mngr is not installed for /venv/bin/python'],
  [{ pythonVersion: '3.11.7' }, '/venv/bin/python is Python 3.11.7, and the plugin needs 3.12 or later'],
  [{ mngrVersion: '0.2.12' }, 'imbue-mngr 0.2.12 is installed, and the plugin works with >=0.2.13,<0.4'],
  [{ mngrVersion: '0.4.0' }, 'imbue-mngr 0.4.0 is installed'],
])('an environment that cannot take it: %j', (change, message) => {
  expect(() => checkEnvironment({ ...found, ...change })).toThrow(message);
});

test('the versions are those of the package', () => {
  const project = readFileSync(join(ROOT, 'plugin', 'pyproject.toml'), 'utf8');
  expect(project).toContain(`"imbue-mngr${SUPPORTED_MNGR}"`);
  const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
  expect(project).toContain(`version = "${version}"`);
  expect(['0.2.13', '0.2.17', '0.3.0', '0.3.9', '0.3.1rc1'].filter((text) => !isSupportedMngr(text))).toEqual([]);
  expect(['0.2.12', '0.1', '0.4.0', '1.0.0', 'x'].filter(isSupportedMngr)).toEqual([]);
});
