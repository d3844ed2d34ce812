import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { CliLocal, START_UP, localHosts } from '../support/cli/cli-local';
import { describeWith } from '../support/run/requirements';
import { ROOT } from '../support/run/paths';

const run = promisify(execFile);
const tool = (name: string): string => join(ROOT, 'node_modules/.bin', name);

/** The TypeScript of a page, one program. */
const programOf = (page: string): string =>
  [...readFileSync(join(ROOT, 'docs', page), 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)]
    .map(([, code]) => code)
    .join('');

/** A project that has the example, and this package under the name that its users import. */
function makeProject(): string {
  const folder = mkdtempSync(join(tmpdir(), 'mngr-example-'));
  writeFileSync(join(folder, 'example.ts'), programOf('library.md'));
  mkdirSync(join(folder, 'src'));
  writeFileSync(join(folder, 'src/main.c'), 'int main(void) { return 0; }\n');
  const compilerOptions = {
    typeRoots: [join(ROOT, 'node_modules/@types')],
    types: ['node'],
    paths: { 'mngr-fargate': [join(ROOT, 'lib/index.ts')] },
  };
  const config = { extends: join(ROOT, 'tsconfig.json'), compilerOptions, include: ['example.ts'] };
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));
  return folder;
}

describeWith(localHosts, 'the example of docs/library.md', () => {
  let folder: string;
  beforeAll(() => {
    folder = makeProject();
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  test(
    'is TypeScript that this package’s types accept',
    async () => {
      await expect(run(tool('tsc'), ['-p', folder], { timeout: START_UP })).resolves.toMatchObject({ stdout: '' });
    },
    START_UP,
  );

  test(
    'does what it says, with a deployed stack and nothing configured',
    async () => {
      const local = await CliLocal.start();
      try {
        const { stdout } = await run(tool('tsx'), ['--tsconfig', 'tsconfig.json', 'example.ts'], {
          cwd: folder,
          env: local.home.env(),
          timeout: START_UP,
        });
        expect(stdout).toMatch(/^ssh (PROVISIONING|PENDING|ACTIVATING|RUNNING)$/m);
        expect(stdout).toMatch(/^builder answers at 127\.\S+$/m);
        expect(stdout).toMatch(/^git version \S+$/m);
        expect(stdout).toMatch(/^\d{4}-\d\d-\d\dT\S+Z mngr: /m);
        await expect(local.home.json(['list'])).resolves.toEqual([]);
      } finally {
        await local.stop();
      }
    },
    2 * START_UP,
  );
});
