import { execFile } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPlugin } from '../../../lib/mngr';
import type { InstallRequest } from '../../../lib/mngr';
import { CliHome } from '../../support/cli/cli-program';
import { PLUGIN_FOLDER } from '../../support/mngr/mngr-plugin';
import { mngrPython, pythonForMngr } from '../../support/mngr/mngr-tool';
import { installPythonTool, UV } from '../../support/run/python-tools';
import { describeWith } from '../../support/run/requirements';

const run = promisify(execFile);
/** Milliseconds for an environment on a busy machine. */
const INSTALL = 900_000;

describeWith(pythonForMngr, 'installing the plugin', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-install-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const install = (change: Partial<InstallRequest>) =>
    installPlugin({ source: PLUGIN_FOLDER, dryRun: false, environment: process.env, ...change });

  /** A home of its own, with these releases of installers on its PATH. */
  const machineWith = async (...releases: readonly string[]) => {
    const installers = await Promise.all(
      releases.map((release) => installPythonTool({ name: release.replace(/==.*/, ''), requirements: [release] })),
    );
    const machine = new CliHome(mkdtempSync(join(folder, 'machine-')));
    const home = machine.path('home');
    const environment = machine.env({
      PATH: [`${home}/.local/bin`, ...installers, process.env.PATH].join(':'),
      UV_CACHE_DIR: join(homedir(), '.cache', 'uv'),
      // Python compiles what is imported here, which is little of what is installed.
      PIP_NO_COMPILE: '1',
    });
    const started = (name: string, ...words: string[]) => run(name, words, { env: environment, cwd: home });
    return { home, environment, started };
  };

  describe('into a virtual environment', () => {
    const prefix = join(folder, 'venv');
    const python = join(prefix, 'bin', 'python');
    const site = async (): Promise<string> =>
      (await run(python, ['-c', 'import sysconfig; print(sysconfig.get_path("purelib"))'])).stdout.trim();

    beforeAll(async () => {
      await run(mngrPython() ?? '', ['-m', 'venv', prefix]);
    }, INSTALL);

    test('without mngr it is refused', async () => {
      await expect(install({ python })).rejects.toMatchObject({ code: 'not-found' });
    });

    test(
      'with mngr it is installed once, and again when the plugin has changed',
      async () => {
        // All that is asked of mngr here is which version is there.
        const information = join(await site(), 'imbue_mngr-0.3.0.dist-info');
        mkdirSync(information);
        writeFileSync(join(information, 'METADATA'), 'Metadata-Version: 2.1\nName: imbue-mngr\nVersion: 0.3.0\n');
        const script = join(prefix, 'bin', 'mngr');
        writeFileSync(script, `#!${python}\n`, { mode: 0o755 });
        const environment = { ...process.env, PATH: `${prefix}/bin:${process.env.PATH}` };

        const dry = await install({ environment, dryRun: true });
        expect(dry).toMatchObject({ prefix, changed: true, dryRun: true, pluginVersion: null });
        expect(existsSync(join(await site(), 'imbue'))).toBe(false);

        const first = await install({ environment });
        expect(first).toMatchObject({
          kind: 'environment',
          changed: true,
          pluginVersion: '0.1.0',
          previousVersion: null,
        });
        expect(existsSync(join(await site(), 'imbue', 'mngr_fargate', 'plugin.py'))).toBe(true);
        const entryPoints = readFileSync(
          join(await site(), 'imbue_mngr_fargate-0.1.0.dist-info', 'entry_points.txt'),
          'utf8',
        );
        expect(entryPoints).toContain('[mngr]\nfargate = imbue.mngr_fargate.plugin');
        expect(await install({ environment })).toMatchObject({ changed: false, previousVersion: '0.1.0' });

        const newer = join(folder, 'newer');
        cpSync(PLUGIN_FOLDER, newer, { recursive: true });
        writeFileSync(join(newer, 'src', 'imbue', 'mngr_fargate', 'news.py'), '"""New."""\n');
        expect(await install({ environment, source: newer })).toMatchObject({ changed: true });
        expect(existsSync(join(await site(), 'imbue', 'mngr_fargate', 'news.py'))).toBe(true);
      },
      INSTALL,
    );

    test('a program that is not Python is reported', async () => {
      await expect(install({ python: '/bin/false' })).rejects.toMatchObject({
        code: 'usage',
        message: '/bin/false is not a usable Python',
      });
      await expect(install({ python: '/nowhere' })).rejects.toMatchObject({ code: 'failed' });
    });
  });

  test(
    'into a uv tool, whose receipt learns of it; settings that name the backend already are no obstacle',
    async () => {
      const { home, environment, started } = await machineWith(UV);
      await started('uv', 'tool', 'install', '--quiet', '--python', mngrPython() ?? '', 'imbue-mngr==0.3.0');
      const mngr = (...words: string[]) => started('mngr', ...words);
      const { path } = JSON.parse((await mngr('config', 'path', '--scope', 'user', '--format', 'json')).stdout) as {
        path: string;
      };
      writeFileSync(path, '[providers.fargate]\nbackend = "fargate"\n');
      await expect(mngr('list')).rejects.toThrow(/unknown backend/);

      expect(await install({ environment })).toMatchObject({ kind: 'uv-tool', changed: true, pluginVersion: '0.1.0' });
      const receipt = readFileSync(join(home, '.local/share/uv/tools/imbue-mngr/uv-receipt.toml'), 'utf8');
      expect(receipt).toContain(`editable = "${home}/.local/share/mngr-fargate/plugin"`);
      expect((await mngr('plugin', 'list')).stdout).toMatch(/fargate +0\.1\.0/);
      expect(await install({ environment })).toMatchObject({ changed: false });
    },
    INSTALL,
  );

  test(
    'into an environment of pipx, which installs it again when it reinstalls mngr',
    async () => {
      const { home, environment, started } = await machineWith(UV, 'pipx==1.18.4');
      await started('pipx', 'install', '--python', mngrPython() ?? '', 'imbue-mngr==0.3.0');

      const cache = join(home, 'npx');
      cpSync(PLUGIN_FOLDER, cache, { recursive: true });
      const first = await install({ environment, source: cache });
      expect(first).toMatchObject({ kind: 'pipx', changed: true, pluginVersion: '0.1.0' });
      rmSync(cache, { recursive: true });
      expect((await started('mngr', 'plugin', 'list')).stdout).toMatch(/fargate +0\.1\.0/);
      expect(await install({ environment })).toMatchObject({ changed: false });

      await started('pipx', 'reinstall', '--python', mngrPython() ?? '', 'imbue-mngr');
      expect((await started('mngr', 'plugin', 'list')).stdout).toMatch(/fargate +0\.1\.0/);
      expect(await install({ environment })).toMatchObject({ changed: false });
    },
    INSTALL,
  );
});
