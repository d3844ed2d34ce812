import fc from 'fast-check';
import { costOf } from '../../../lib/hosts/model/cost';
import type { CostGrouping } from '../../../lib/hosts/model/cost-report';
import { costReport } from '../../../lib/hosts/model/cost-report';
import type { Host } from '../../../lib/hosts/model/types';
import { hostLike } from '../../support/host/host-like';

const NOW = new Date('2026-11-21T12:00:00.000Z');
const at = (time: string): string => `2026-11-${time}:00.000Z`;

const rowsOf = (hosts: readonly Host[], grouping: CostGrouping, since?: Date) =>
  costReport(hosts, grouping, { since, now: NOW }).rows;

describe('by host', () => {
  const dear = hostLike({ name: 'dear', costUsdPerHour: 2, billedFrom: at('21T11:00') });
  const cheap = hostLike({ name: 'cheap', costUsdPerHour: 0.25, billedFrom: at('21T10:00') });

  it('has the dearest first, with what each costs an hour', () => {
    expect(rowsOf([cheap, dear], { by: 'host' })).toEqual([
      { key: 'dear', hostId: dear.hostId, state: 'RUNNING', hosts: 1, hours: 1, usd: 2, usdPerHour: 2, spot: false },
      {
        key: 'cheap',
        hostId: cheap.hostId,
        state: 'RUNNING',
        hosts: 1,
        hours: 2,
        usd: 0.5,
        usdPerHour: 0.25,
        spot: false,
      },
    ]);
  });

  it('bills a host that has stopped until then, and projects nothing for it', () => {
    const stopped = hostLike({ ...dear, state: 'STOPPED', stoppedAt: at('21T11:30') });
    const { rows, projected } = costReport([stopped], { by: 'host' }, { now: NOW });

    expect(rows).toEqual([expect.objectContaining({ hours: 0.5, usd: 1, usdPerHour: 0 })]);
    expect(projected).toEqual({ usdPerHour: 0, usdPerDay: 0, usdPerMonth: 0 });
  });

  it('leaves out what is not billed: a host whose image is not being pulled yet', () => {
    expect(rowsOf([hostLike({ billedFrom: null })], { by: 'host' })).toEqual([]);
  });

  it('projects a day and a month of 730 hours for what runs', () => {
    expect(costReport([dear, cheap], { by: 'host' }, { now: NOW }).projected).toEqual({
      usdPerHour: 2.25,
      usdPerDay: 54,
      usdPerMonth: 1642.5,
    });
  });
});

describe('by day', () => {
  it("cuts a host's life at midnight UTC", () => {
    const host = hostLike({ costUsdPerHour: 1, billedFrom: at('19T18:00') });

    expect(rowsOf([host], { by: 'day' })).toEqual([
      { key: '2026-11-19', hosts: 1, hours: 6, usd: 6, spot: false },
      { key: '2026-11-20', hosts: 1, hours: 24, usd: 24, spot: false },
      { key: '2026-11-21', hosts: 1, hours: 12, usd: 12, spot: false },
    ]);
  });

  it('counts a host on each day that it lived', () => {
    const old = hostLike({ costUsdPerHour: 1, billedFrom: at('20T23:00') });
    const young = hostLike({
      costUsdPerHour: 1,
      billedFrom: at('21T11:00'),
      taskArn: 'arn:aws:ecs:us-east-1:1:task/mngr/2',
    });

    expect(rowsOf([old, young], { by: 'day' }).map(({ hosts }) => hosts)).toEqual([1, 2]);
  });
});

describe('by tag', () => {
  const tagged = (team: string | undefined, more: Partial<Host> = {}): Host =>
    hostLike({ costUsdPerHour: 1, billedFrom: at('21T10:00'), tags: team === undefined ? {} : { team }, ...more });

  it('has a row for each value', () => {
    const rows = rowsOf([tagged('a'), tagged('b'), tagged('a', { taskArn: 'arn:2' })], { by: 'tag', tag: 'team' });

    expect(rows).toEqual([
      { key: 'a', tagsForgotten: false, hosts: 2, hours: 4, usd: 4, usdPerHour: 2, spot: false },
      { key: 'b', tagsForgotten: false, hosts: 1, hours: 2, usd: 2, usdPerHour: 1, spot: false },
    ]);
  });

  it('tells hosts without the tag from those whose tags ECS has deleted', () => {
    const stopped = { state: 'STOPPED', stoppedAt: at('21T11:00') } as const;
    const rows = rowsOf(
      [tagged(undefined), tagged(undefined, { ...stopped, stopCode: 'UserInitiated' }), tagged('', { ...stopped })],
      { by: 'tag', tag: 'team' },
    );

    expect(rows.map(({ key, tagsForgotten }) => [key, tagsForgotten])).toEqual([
      [null, false],
      [null, true],
      ['', false],
    ]);
  });
});

describe('since', () => {
  it('counts only what came after it', () => {
    const host = hostLike({ costUsdPerHour: 1, billedFrom: at('19T00:00') });
    const gone = hostLike({ ...host, name: 'gone', state: 'STOPPED', stoppedAt: at('21T11:05') });
    const report = costReport([host, gone], { by: 'host' }, { since: new Date(at('21T11:30')), now: NOW });

    expect(report.since).toBe('2026-11-21T11:30:00.000Z');
    expect(report.rows.map(({ key, usd }) => [key, usd])).toEqual([[host.name, 0.5]]);
  });
});

describe('the prices', () => {
  it('are said to be of another region where the list has none of its own', () => {
    const moon = hostLike({ taskArn: 'arn:aws:ecs:moon-north-1:123456789012:task/mngr/1' });

    expect(costReport([moon], { by: 'host' }, { now: NOW })).toMatchObject({
      region: 'moon-north-1',
      pricesOf: 'us-east-1',
    });
    expect(costReport([], { by: 'host' }, { now: NOW })).toMatchObject({ region: null, pricesOf: null, rows: [] });
  });

  it('are marked as rough where Spot is among the hosts', () => {
    const { rows, total } = costReport([hostLike({ spot: true })], { by: 'day' }, { now: NOW });

    expect([...rows, total].map(({ spot }) => spot)).not.toContain(false);
  });
});

describe('any fleet', () => {
  const BILLED = { cpu: 1024, memory: 4096, ephemeralStorage: 20, architecture: 'X86_64', region: 'us-east-1' };
  const minutes = (max: number) => fc.integer({ min: 0, max });
  const fleet = fc.array(
    fc.record({ age: minutes(20_000), stoppedAgo: fc.option(minutes(60)), team: fc.option(fc.constantFrom('a', 'b')) }),
    { maxLength: 12 },
  );
  const ago = (count: number): Date => new Date(NOW.getTime() - count * 60_000);

  it('costs the same however it is split, and as much as `list` says of each host', () => {
    fc.assert(
      fc.property(fleet, (ages) => {
        const hosts = ages.map(({ age, stoppedAgo, team }, index) => {
          const stopped = stoppedAgo === null ? null : ago(Math.min(stoppedAgo, age));
          const billed = { ...BILLED, spot: false, publicIp: true };
          return hostLike({
            name: `host-${index}`,
            taskArn: `arn:aws:ecs:us-east-1:1:task/mngr/${index}`,
            billedFrom: ago(age).toISOString(),
            stoppedAt: stopped?.toISOString() ?? null,
            costUsd: costOf(billed, ago(age), stopped ?? NOW),
            costUsdPerHour: costOf(billed, ago(60), NOW),
            tags: team === null ? {} : { team },
          });
        });
        const expected = hosts.reduce((so, { costUsd }) => so + costUsd, 0);

        for (const grouping of [{ by: 'host' }, { by: 'day' }, { by: 'tag', tag: 'team' }] as const) {
          const { rows, total } = costReport(hosts, grouping, { now: NOW });
          // Each figure is rounded to a millionth by itself.
          const slack = (rows.length + 1) * 1e-6;
          expect(Math.abs(total.usd - expected)).toBeLessThan(slack);
          expect(Math.abs(rows.reduce((so, { usd }) => so + usd, 0) - expected)).toBeLessThan(slack);
        }
      }),
    );
  });
});
