import { ECSClient, ListTasksCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { parseCostGrouping } from '../../lib/cli/parse/cost-grouping';
import { costTable } from '../../lib/cli/render/cost-table';
import { HOST_TAGS } from '../../lib/contract/tags';
import type { CostReport } from '../../lib/hosts/model/cost-report';
import { costReport } from '../../lib/hosts/model/cost-report';
import { CliHome } from '../support/cli/cli-program';
import { hostLike } from '../support/host/host-like';
import { startLocalEndpoint } from '../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../support/endpoint/fake-runtime';

const NOW = new Date('2026-11-21T12:00:00.000Z');

describe('the table of cost', () => {
  const fox = hostLike({ costUsdPerHour: 0.5, billedFrom: '2026-11-20T22:00:00.000Z', tags: { team: 'search' } });
  const owl = hostLike({
    name: 'owl',
    taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/mngr/2',
    spot: true,
    state: 'STOPPED',
    stopCode: 'UserInitiated',
    costUsdPerHour: 0.02,
    billedFrom: '2026-11-21T10:00:00.000Z',
    stoppedAt: '2026-11-21T11:30:00.000Z',
  });

  test('by host', () => {
    expect(costTable(costReport([fox, owl], { by: 'host' }, { now: NOW }))).toBe(`\
NAME   STATE    COST/HOUR  HOURS  COST
fox    RUNNING  $0.50      14.00  $7.00
owl    STOPPED  -          1.50   ~$0.0300
total                      15.50  ~$7.03

if these keep running: $12.00 a day, $365.00 a month
covers hosts that run, and hosts that stopped within about an hour
estimated at list prices of us-east-1 (2026-06), in US dollars, without logs, traffic and taxes
~ includes Fargate Spot, whose price varies
`);
  });

  test('by day, of which today is not over', () => {
    const lines = costTable(costReport([fox], { by: 'day' }, { now: NOW })).split('\n');

    expect(lines.slice(0, 4)).toEqual([
      'DAY (UTC)          HOSTS  HOURS  COST',
      '2026-11-20         1      2.00   $1.00',
      '2026-11-21 so far  1      12.00  $6.00',
      'total                     14.00  $7.00',
    ]);
  });

  test('by tag, with a word for hosts whose tags are gone', () => {
    const bare = hostLike({ ...fox, taskArn: 'arn:3', tags: {} });
    const lines = costTable(costReport([fox, owl, bare], { by: 'tag', tag: 'team' }, { now: NOW })).split('\n');

    expect(lines[0]).toMatch(/^TAG team +HOSTS +COST\/HOUR +HOURS +COST$/);
    expect(lines.slice(1, 4).map((line) => line.split(/ {2,}/)[0])).toEqual([
      'search',
      '(without the tag)',
      '(stopped: tags forgotten)',
    ]);
  });

  test('has no projection for hosts that have all stopped', () => {
    const text = costTable(costReport([owl], { by: 'host' }, { now: NOW }));

    expect(text).toContain('\nnone of them is still running\n');
    expect(text).not.toContain('a month');
  });

  test('without hosts says what it looked at', () => {
    expect(costTable(costReport([], { by: 'host' }, { now: NOW }))).toBe(
      'no hosts to bill\ncovers hosts that run, and hosts that stopped within about an hour\n',
    );
  });

  test('says since when it counts, and whose prices it took', () => {
    const moon = hostLike({ taskArn: 'arn:aws:ecs:moon-north-1:123456789012:task/mngr/1' });
    const text = costTable(costReport([moon], { by: 'host' }, { since: new Date('2026-11-21T11:00:00Z'), now: NOW }));

    expect(text).toContain('an hour; nothing before 2026-11-21T11:00:00.000Z\n');
    expect(text).toContain('list prices of us-east-1, as moon-north-1 is not in the list');
  });
});

describe('--by', () => {
  test.each([
    ['host', { by: 'host' }],
    ['day', { by: 'day' }],
    ['tag=team', { by: 'tag', tag: 'team' }],
    ['tag=a=b', { by: 'tag', tag: 'a=b' }],
  ])('%s', (text, grouping) => expect(parseCostGrouping(text)).toEqual(grouping));

  test.each(['tag', 'tag=', 'team', 'hosts', ''])('refuses %j', (text) => {
    expect(() => parseCostGrouping(text)).toThrow(`--by takes host, day or tag=KEY, not ${JSON.stringify(text)}`);
  });
});

describe('cost by the real program', () => {
  const HOUR = 3_600_000;
  const hostTags = (name: string) => ({
    [HOST_TAGS.provider]: 'fargate',
    [HOST_TAGS.hostName]: name,
    [HOST_TAGS.hostId]: `host-${name.repeat(32).slice(0, 32)}`,
  });
  let local: LocalEndpoint<FakeRuntime>;
  let home: CliHome;

  beforeAll(async () => {
    local = await startLocalEndpoint();
    home = new CliHome().with(local.env);
    // Two hours ago, by the endpoint's clock.
    local.control.advanceClock(-2 * HOUR);
    const seed = (name: string, count: number, tags: Record<string, string> = {}): void => {
      local.control.seed({ count, startedBy: `mngr/fargate/${name}`, tags: { ...hostTags(name), ...tags } });
    };
    seed('a', 1, { team: 'search' });
    seed('b', 1, { team: 'search' });
    seed('c', 1);
    local.control.advanceClock(2 * HOUR);
    const ecs = new ECSClient(local.client);
    const cluster = local.outputs.EcsCluster;
    const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster, startedBy: 'mngr/fargate/b' }));
    await ecs.send(new StopTaskCommand({ cluster, task: taskArns[0] }));
    ecs.destroy();
  }, 120_000);
  afterAll(async () => {
    home.remove();
    await local.destroy();
  });

  test('all hosts, the one included that has just been stopped', async () => {
    const report = await home.json<CostReport>(['cost']);

    expect(report).toMatchObject({ currency: 'USD', by: 'host', tag: null, since: null, region: local.region });
    expect(report.rows.map(({ key }) => key).sort()).toEqual(['a', 'b', 'c']);
    for (const row of report.rows) expect(row.hours).toBeGreaterThanOrEqual(2);
    expect(report.total.usd).toBeCloseTo(
      report.rows.reduce((so, { usd }) => so + usd, 0),
      4,
    );
    // Two of three go on, all of one size.
    const [{ usdPerHour = 0 } = { usdPerHour: 0 }] = report.rows.filter(({ key }) => key === 'a');
    expect(report.projected.usdPerDay).toBeCloseTo(2 * 24 * usdPerHour, 4);
  });

  test('by tag, which ECS has forgotten for the stopped one', async () => {
    const { rows } = await home.json<CostReport>(['cost', '--by', 'tag=team']);

    expect(rows.map(({ key, tagsForgotten, hosts }) => ({ key, tagsForgotten, hosts }))).toEqual(
      expect.arrayContaining([
        { key: 'search', tagsForgotten: false, hosts: 1 },
        { key: null, tagsForgotten: true, hosts: 1 },
        { key: null, tagsForgotten: false, hosts: 1 },
      ]),
    );
  });

  test('named hosts, within the last hour', async () => {
    const { stdout, exitCode } = await home.run(['cost', 'a', 'c', '--since', '1h']);

    expect(exitCode).toBe(0);
    expect(stdout).toMatch(/^NAME +STATE +COST\/HOUR +HOURS +COST\n[ac] +RUNNING +\$0\.\d+ +1\.00 +\$0\.\d+\n/);
    expect(stdout).toMatch(/\ntotal +2\.00 +\$0\.\d+\n/);
  });

  test('a tag to choose by, with a word on what it leaves out', async () => {
    const { stdout, stderr } = await home.run(['cost', '--tag', 'team=search']);

    expect(stdout).toMatch(/\na +RUNNING/);
    expect(stdout).not.toMatch(/\n[bc] +/);
    expect(stderr).toContain('hosts that were stopped from outside are not counted');
  });

  test('a host that ECS does not show', async () => {
    const { exitCode, stdout } = await home.run(['cost', 'a', 'nobody', '--json']);

    expect(exitCode).toBe(3);
    expect(JSON.parse(stdout)).toMatchObject({ error: { code: 'not-found', message: 'ECS shows no host nobody' } });
  });

  test('what it cannot group by', async () => {
    const { exitCode, stderr } = await home.run(['cost', '--by', 'week']);

    expect(exitCode).toBe(2);
    expect(stderr).toContain('--by takes host, day or tag=KEY, not "week"');
  });
});
