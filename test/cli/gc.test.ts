import { HOST_TAGS } from '../../lib/contract/tags';
import type { Collected } from '../../lib/hosts/reaping/collect';
import { CliLocal, START_UP, localHosts } from '../support/cli/cli-local';
import { describeWith } from '../support/run/requirements';

describeWith(localHosts, 'gc by the real program, at the local endpoint', () => {
  let local: CliLocal;
  beforeAll(async () => {
    local = await CliLocal.start();
  }, START_UP);
  afterAll(() => local.stop());
  afterEach(() => local.control('DELETE', 'tasks/seed'));

  const seed = async (name: string, expiresIn: number): Promise<string> => {
    const { taskArns } = (await local.control('POST', 'tasks/seed', {
      count: 1,
      startedBy: `mngr/fargate/${name}`,
      tags: {
        [HOST_TAGS.provider]: 'fargate',
        [HOST_TAGS.hostId]: `host-${'0'.repeat(32)}`,
        [HOST_TAGS.hostName]: name,
        [HOST_TAGS.readyAt]: new Date().toISOString(),
        [HOST_TAGS.expiresAt]: new Date(Date.now() + expiresIn).toISOString(),
      },
    })) as { taskArns: string[] };
    return taskArns[0] as string;
  };
  const HOUR = 3_600_000;

  test('has nothing to do where all is well, and needs no answer for that', async () => {
    await seed('fox', HOUR);
    await expect(local.home.run(['gc'])).resolves.toMatchObject({
      exitCode: 0,
      stdout: expect.stringMatching(
        /^did not look for task-definition-revision: .*ecs:ListTaskDefinitions.*\n$/,
      ) as string,
    });
  });

  test('tells in a dry run, asks for an answer beforehand without a terminal, and stops with --yes', async () => {
    await seed('fox', HOUR);
    const past = await seed('past', -HOUR);
    const dry = await local.home.run(['gc', '--dry-run']);
    expect(dry.stdout).toMatch(/^would stop past: expired, its age limit was reached at \d{4}-.*\n/);

    const unasked = await local.home.run(['gc']);
    expect(unasked).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('--yes') as string });
    expect(unasked.stderr).toContain('would stop past');

    const document = await local.home.json<Collected>(['gc', '--yes']);
    expect(document).toMatchObject({
      dryRun: false,
      complete: true,
      stopped: [{ taskArn: past, host: 'past', provider: 'fargate', reason: 'expired' }],
      reported: [],
      removed: [],
      failed: [],
    });
    const names = (await local.home.json<{ name: string }[]>(['list'])).map(({ name }) => name);
    expect(names).toEqual(['fox']);
  });

  test('says what failed, with exit code 1', async () => {
    await seed('past', -HOUR);
    await local.control('PUT', 'faults', [
      { kind: 'error', operation: 'ecs:StopTask', code: 'AccessDeniedException', message: 'you may not' },
    ]);
    const { exitCode, stdout } = await local.home.run(['gc', '--yes']);
    await local.control('PUT', 'faults', []);
    expect({ exitCode, stdout }).toMatchObject({
      exitCode: 1,
      stdout: expect.stringContaining('you may not') as string,
    });
  });
});
