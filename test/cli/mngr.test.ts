import { readFileSync } from 'node:fs';
import { parse } from 'smol-toml';
import { COMMANDS_WITH_HOSTS } from '../../lib/mngr/ssh-provider/settings-file';
import { CliHome } from '../support/cli/cli-program';

const home = new CliHome();
afterAll(() => home.remove());

interface Written {
  readonly file: string;
  readonly changed: boolean;
  readonly script: string;
  readonly commands: readonly string[];
}

test('config write --mngr: what a dry run prints is what is written, once, and removed', async () => {
  const dry = await home.run(['config', 'write', '--mngr', '--dry-run']);
  expect(dry).toMatchObject({ exitCode: 0, stderr: '' });
  const written = await home.json<Written>(['config', 'write', '--mngr']);
  expect(written).toMatchObject({ changed: true, dryRun: false, removed: false, provider: 'fargate', pool: 'fargate' });
  expect(written.commands).toEqual(COMMANDS_WITH_HOSTS);
  const text = readFileSync(written.file, 'utf8');
  expect(parse(text)).toEqual(parse(dry.stdout));
  expect(text).toContain(`list = ["${written.script}"]`);

  await expect(home.json(['config', 'write', '--mngr'])).resolves.toMatchObject({ changed: false });
  await expect(home.json(['config', 'write', '--mngr', '--remove'])).resolves.toMatchObject({
    changed: true,
    removed: true,
  });
  expect(readFileSync(written.file, 'utf8')).toBe('');
});

test('a pool of another name goes beside the first', async () => {
  const { file } = await home.json<Written>(['config', 'write', '--mngr']);
  const words = ['--provider', 'big', 'config', 'write', '--mngr', '--provider-name', 'pool'];
  await expect(home.json(words)).resolves.toMatchObject({
    changed: true,
    provider: 'big',
    pool: 'pool',
    script: 'mngr-fargate mngr sync --provider big --pool pool || true',
  });
  const { providers, pre_command_scripts: scripts } = parse(readFileSync(file, 'utf8')) as Record<string, object>;
  expect(Object.keys(providers ?? {})).toEqual(['fargate', 'pool']);
  expect((scripts as Record<string, string[]>).list).toHaveLength(2);
});

test.each([
  [['config', 'write', '--remove'], '--remove only works with --mngr'],
  [['config', 'write', '--mngr', '--outputs-file', 'x.json'], '--mngr and --outputs-file cannot be used together'],
  [['mngr', 'sync', '--pool', 'a.b'], '"a.b" is not a provider name'],
  [['mngr', 'sync', '--timeout', 'soon'], '--timeout takes a duration, not "soon"'],
])('%j is refused', async (words, message) => {
  const { exitCode, stderr } = await home.run(words);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining(message) as string });
});

test('a sync that cannot reach AWS says so within its time, and leaves a file without hosts', async () => {
  const env = {
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: 'test',
    AWS_SECRET_ACCESS_KEY: 'test',
    MNGR_FARGATE_SUBNETS: 'subnet-1',
  };
  const { exitCode, stdout } = await home.run(['--json', 'mngr', 'sync', '--timeout', '1s'], { env });
  expect(exitCode).not.toBe(0);
  expect(JSON.parse(stdout)).toMatchObject({
    error: { code: expect.stringMatching(/timed-out|unreachable/) as string },
  });
});
