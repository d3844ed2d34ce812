import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { readTarget, readTargets, removeTarget, writeTargets } from '../../lib/mngr';
import { mngrHome } from '../support/cli/cli-mngr-home';

const CONFIG = `# mine
profile = "p"

[targets.web]   # the site
cluster = "shop"
service = "web"
task = "old"

[providers.fargate]
backend = "fargate"
`;
const text = (base: string): string => readFileSync(join(base, 'config.toml'), 'utf8');

test('a target is changed in place, and all else stays byte for byte', async () => {
  const base = mngrHome(CONFIG);
  await writeTargets(base, new Map([['web', { cluster: 'shop', service: 'front' }]]));
  expect(text(base)).toBe(CONFIG.replace('service = "web"', 'service = "front"').replace('task = "old"\n', ''));
  await expect(readTarget(base, 'web')).resolves.toEqual({ cluster: 'shop', service: 'front' });
});

test('targets come and go', async () => {
  const base = mngrHome(CONFIG);
  await writeTargets(base, new Map([['db', { cluster: 'shop', service: 'db', container: 'postgres' }]]));
  expect([...(await readTargets(base)).targets.keys()]).toEqual(['web', 'db']);
  await removeTarget(base, 'db');
  expect(text(base)).toBe(CONFIG);
});

test('a new file gets a profile, without which mngr would overwrite it', async () => {
  const base = mngrHome('');
  await writeTargets(base, new Map([['db', { cluster: 'shop', service: 'db' }]]));
  expect(text(base)).toMatch(/^profile = "[0-9a-f]{32}"\n+\[targets\.db\]\ncluster = "shop"\nservice = "db"\n$/);
});

test('a wrong entry costs that entry', async () => {
  const base = mngrHome(`${CONFIG}\n[targets.bad]\nservice = "x"\n`);
  const { targets, problems } = await readTargets(base);
  expect([...targets.keys()]).toEqual(['web']);
  expect([...problems.keys()]).toEqual(['bad']);
  await expect(readTarget(base, 'bad')).rejects.toMatchObject({ code: 'usage' });
});

test('names that are no targets', async () => {
  const base = mngrHome(CONFIG);
  await expect(readTarget(base, 'wed')).rejects.toMatchObject({ code: 'not-found', hint: 'did you mean @web?' });
  await expect(removeTarget(base, 'nobody')).rejects.toMatchObject({ code: 'not-found' });
  await expect(writeTargets(base, new Map([['a b', { cluster: 'shop' }]]))).rejects.toMatchObject({ code: 'usage' });
});
