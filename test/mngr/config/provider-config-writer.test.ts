import {
  chmodSync,
  existsSync,
  lstatSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Settings } from '../../../lib/mngr';
import {
  ensureProfile,
  loadProviderConfig,
  readProfile,
  settingsOfStack,
  writeProviderConfig,
} from '../../../lib/mngr';
import { mngrHome } from '../../support/cli/cli-mngr-home';

const settings: Settings = settingsOfStack({
  stackName: 'mngr-fargate',
  outputs: {
    AwsRegion: 'eu-west-1',
    EcsCluster: 'c',
    TaskDefinition: 't',
    Subnets: 'subnet-1,subnet-2',
    Cpu: '512',
    Memory: '1024',
  },
});
const configOf = (base: string): string => readFileSync(join(base, 'config.toml'), 'utf8');

test('a fresh machine gets profile, directories and block, for its user alone', async () => {
  const base = mngrHome();
  const { profile, changed } = await writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings });
  expect(profile).toMatch(/^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/);
  expect(changed).toBe(true);
  expect(configOf(base).startsWith(`profile = "${profile}"\n`)).toBe(true);
  expect(statSync(join(base, 'profiles', profile)).isDirectory()).toBe(true);
  expect(statSync(join(base, 'config.toml')).mode & 0o777).toBe(0o600);
  const { config } = await loadProviderConfig({ baseDirectory: base, environment: {} });
  expect(config).toMatchObject({ aws_region: 'eu-west-1', subnets: ['subnet-1', 'subnet-2'], cpu: 512, memory: 1024 });
});

test('writing again changes nothing, and says so', async () => {
  const base = mngrHome();
  await writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings });
  const before = configOf(base);
  const { changed } = await writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings });
  expect(changed).toBe(false);
  expect(configOf(base)).toBe(before);
});

test('the present profile, mode and symbolic link stay', async () => {
  const base = mngrHome('profile = "mine"\n');
  const real = join(dirname(base), 'dotfiles.toml');
  renameSync(join(base, 'config.toml'), real);
  symlinkSync(real, join(base, 'config.toml'));
  chmodSync(real, 0o644);
  const { profile } = await writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings });
  expect(profile).toBe('mine');
  expect(lstatSync(join(base, 'config.toml')).isSymbolicLink()).toBe(true);
  expect(statSync(real).mode & 0o777).toBe(0o644);
  expect(readFileSync(real, 'utf8')).toContain('[providers.fargate]');
  expect(readdirSync(dirname(real)).sort()).toEqual(['.mngr', 'dotfiles.toml']);
});

test('a dry run writes nothing at all', async () => {
  const base = mngrHome();
  const { after } = await writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings, dryRun: true });
  expect(after).toContain('[providers.fargate]');
  expect(existsSync(base)).toBe(false);
});

test("a block whose other keys would make it wrong isn't written", async () => {
  const text = 'profile = "p"\n[providers.fargate]\nclutser = "x"\n';
  const base = mngrHome(text);
  await expect(writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings })).rejects.toMatchObject({
    code: 'usage',
    message: expect.stringContaining('unknown key "clutser"') as string,
  });
  expect(configOf(base)).toBe(text);
});

test('the first profile is made once, however many ask at the same time', async () => {
  const base = mngrHome('# mine\n[a]\nb = 1\n');
  const profiles = await Promise.all(Array.from({ length: 8 }, () => ensureProfile(base)));
  expect(new Set(profiles).size).toBe(1);
  expect(configOf(base)).toBe(`profile = "${profiles[0] ?? ''}"\n# mine\n[a]\nb = 1\n`);
  expect(readdirSync(base).sort()).toEqual(['config.toml', 'profiles']);
});

test('reading a profile writes nothing', async () => {
  const base = mngrHome();
  await expect(readProfile(base)).resolves.toBeUndefined();
  expect(existsSync(base)).toBe(false);
});

test.each(['profile = "../x"', 'profile = ""', 'profile = 5', 'profile = ".."'])('%s is no profile', async (line) => {
  await expect(readProfile(mngrHome(`${line}\n`))).rejects.toMatchObject({ code: 'usage' });
});

test('a file that is not UTF-8 is refused and kept', async () => {
  const base = mngrHome('');
  writeFileSync(join(base, 'config.toml'), Buffer.from([0x61, 0xff, 0x0a]));
  await expect(writeProviderConfig({ baseDirectory: base, provider: 'fargate', settings })).rejects.toThrow(
    'it is not UTF-8',
  );
  expect(readFileSync(join(base, 'config.toml'))).toEqual(Buffer.from([0x61, 0xff, 0x0a]));
});
