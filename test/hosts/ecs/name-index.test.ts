import { startedByOf } from '../../../lib/contract/host-name';
import { NameIndex } from '../../../lib/hosts/ecs/name-index';
import { startHostsApi } from '../../support/host/hosts-api';
import type { HostsApi } from '../../support/host/hosts-api';

describe('the index of names', () => {
  let api: HostsApi;
  let index: NameIndex;
  let arnOf: (name: string) => string | undefined;

  beforeAll(async () => {
    api = await startHostsApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    index = new NameIndex(api.tasks);
  });
  afterEach(() => api.local.control.removeSeeded());

  const seed = (count: number): void => {
    const startedBy = startedByOf('fargate', 'seed-{n}');
    const { taskArns } = api.local.control.seed({ count, startedBy, tags: {} });
    arnOf = (name) => taskArns[Number(name.replace('seed-', '')) - 1];
    api.local.control.callLog.reset();
  };
  const look = async (names: readonly string[]): Promise<(string | undefined)[]> => {
    const found = await Promise.all(names.map((name) => index.liveArns('fargate', name)));
    expect(found.every((arns) => arns.length <= 1)).toBe(true);
    return found.map(([arn]) => arn);
  };
  const namesFrom = (first: number, count: number): string[] =>
    Array.from({ length: count }, (_, offset) => `seed-${first + offset}`);

  test('one name is one call, whether there is such a task or not', async () => {
    seed(20);
    expect(await look(['seed-7', 'other'])).toEqual([arnOf('seed-7'), undefined]);
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 2 });
  });

  test('many names are one listing, and what is known of a task is not asked for again', async () => {
    seed(120);
    const names = [...namesFrom(1, 30), 'other'];
    expect(await look(names)).toEqual([...names.slice(0, 30).map(arnOf), undefined]);
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 2, 'ecs:DescribeTasks': 2 });
    expect(await look(namesFrom(90, 31))).toEqual(namesFrom(90, 31).map(arnOf));
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 4, 'ecs:DescribeTasks': 2 });
  });

  test('in a cluster of thousands a few names are looked up by themselves', async () => {
    seed(2_000);
    const names = namesFrom(1_900, 10);
    expect(await look(names)).toEqual(names.map(arnOf));
    // The listing was given up after as many calls as half the names; the next time it isn't begun.
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 3 + 10, 'ecs:DescribeTasks': 2 });
    api.local.control.callLog.reset();
    expect(await look(names)).toEqual(names.map(arnOf));
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 10 });
  });

  test('a task that this launcher has started is not described', async () => {
    seed(20);
    for (const name of namesFrom(1, 20)) index.remember(arnOf(name) ?? '', startedByOf('fargate', name));
    expect(await look(namesFrom(1, 10))).toEqual(namesFrom(1, 10).map(arnOf));
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 1 });
  });

  test('a task that has gone is no longer found', async () => {
    seed(10);
    await look(namesFrom(1, 10));
    api.local.control.removeSeeded();
    expect(await look(namesFrom(1, 10))).toEqual(Array.from({ length: 10 }, () => undefined));
  });

  test('each caller can give up alone', async () => {
    seed(1);
    const controller = new AbortController();
    const given = index.liveArns('fargate', 'seed-1', controller.signal);
    const other = index.liveArns('fargate', 'seed-1');
    controller.abort();
    await expect(given).rejects.toMatchObject({ code: 'aborted' });
    await expect(other).resolves.toEqual([arnOf('seed-1')]);
  });
});
