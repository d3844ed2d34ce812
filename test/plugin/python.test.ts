import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { installMngrWithPlugin, MNGR_VERSIONS, PLUGIN_FOLDER } from '../support/mngr/mngr-plugin';
import { pythonForMngr } from '../support/mngr/mngr-tool';
import { PYTHON_CACHE } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';

/** Milliseconds for an environment to be installed, and for a run on a busy machine. */
const INSTALL = 900_000;
const RUN = 600_000;

/** Nothing that Python and its tools keep goes into the plugin's folder. */
const PYTHON_CACHES = {
  PYTHONDONTWRITEBYTECODE: '',
  PYTHONPYCACHEPREFIX: join(PYTHON_CACHE, 'pycache'),
  MYPY_CACHE_DIR: join(PYTHON_CACHE, 'mypy'),
};

/** Runs a program in the plugin's folder; what it printed is the reason when it fails. */
function run(program: string, ...words: string[]): Promise<void> {
  const environment = { ...process.env, ...PYTHON_CACHES };
  return new Promise((resolve, reject) => {
    const options = { cwd: PLUGIN_FOLDER, env: environment, timeout: RUN, maxBuffer: 16 * 1024 * 1024 };
    execFile(program, words, options, (error, stdout, stderr) => {
      if (error === null) resolve();
      else reject(new Error(`${words.join(' ')}: ${error.message}\n${stdout}${stderr}`));
    });
  });
}

describeWith(pythonForMngr, 'the plugin in Python', () => {
  test.each(MNGR_VERSIONS)(
    'its own tests pass with mngr %s',
    async (version) => {
      const programs = await installMngrWithPlugin(version);
      await run(join(programs, 'python'), '-m', 'pytest');
    },
    INSTALL + RUN,
  );

  test(
    'is typed, and written in one style',
    async () => {
      const programs = await installMngrWithPlugin('0.3.0');
      await run(join(programs, 'ruff'), 'check', '--no-cache', '.');
      await run(join(programs, 'ruff'), 'format', '--no-cache', '--check', '.');
      await run(join(programs, 'mypy'), 'src', 'tests');
    },
    INSTALL + RUN,
  );
});
