import { TaskWatch } from '../../../lib/hosts/ecs/task-watch';
import { denied } from '../../support/endpoint/denied';
import { until } from '../../support/run/eventually';
import { startHostsApi } from '../../support/host/hosts-api';
import type { HostsApi } from '../../support/host/hosts-api';

describe('the watch over tasks', () => {
  let api: HostsApi;
  let watch: TaskWatch;

  beforeAll(async () => {
    api = await startHostsApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    api.local.control.callLog.reset();
    watch = new TaskWatch(api.tasks);
  });
  afterEach(() => {
    watch.close();
    api.local.control.reset();
    api.local.control.removeSeeded();
  });

  const seed = (count: number): readonly string[] =>
    api.local.control.seed({ count, startedBy: 'somebody', tags: {} }).taskArns;
  const describes = (): number => api.calls()['ecs:DescribeTasks'] ?? 0;

  test('looks at a hundred tasks with one call', async () => {
    const arns = seed(100);
    const states = await Promise.all(arns.map((arn) => watch.until(arn, ({ lastStatus }) => lastStatus)));
    expect(states).toEqual(arns.map(() => 'RUNNING'));
    expect(describes()).toBe(1);
  });

  test('looks again until it finds what it waits for, and then stops', async () => {
    const [arn = ''] = seed(1);
    const seen = await new Promise<number>((resolve) => {
      let times = 0;
      const stop = watch.watch(
        arn,
        () => {
          times += 1;
          if (times < 3) return;
          stop();
          resolve(times);
        },
        () => undefined,
      );
    });
    expect(seen).toBe(3);
    expect(describes()).toBe(3);
    await new Promise((resolve) => setTimeout(resolve, 600));
    expect(describes()).toBe(3);
  });

  test('tells everybody who waits of a refusal', async () => {
    const arns = seed(2);
    api.local.control.faults.set([denied('ecs:DescribeTasks')]);
    const outcomes = await Promise.allSettled(arns.map((arn) => watch.until(arn, () => undefined)));
    expect(outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason)).toEqual([
      expect.objectContaining({ code: 'denied' }),
      expect.objectContaining({ code: 'denied' }),
    ]);
  });

  test('keeps looking when reads fail for a while', async () => {
    const arns = seed(2);
    api.local.control.faults.set([
      {
        kind: 'error',
        times: 4,
        operation: 'ecs:DescribeTasks',
        code: 'ServiceUnavailableException',
        message: 'try later',
        status: 503,
        afterwards: false,
      },
    ]);
    const states = await Promise.all(arns.map((arn) => watch.until(arn, ({ lastStatus }) => lastStatus)));
    expect(states).toEqual(arns.map(() => 'RUNNING'));
  });

  test('what a watcher throws is its own failure', async () => {
    const [arn = ''] = seed(1);
    const failing = watch.until(arn, () => {
      throw new Error('mine');
    });
    const other = watch.until(arn, ({ lastStatus }) => lastStatus);
    await expect(failing).rejects.toThrow('mine');
    await expect(other).resolves.toBe('RUNNING');
  });

  test('waits on for a task that ECS does not show yet', async () => {
    api.local.control.tasks.consistency.describeTasks = 500;
    const { taskArn } = await api.hosts.create({ name: 'late', wait: false });
    const state = watch.until(taskArn, ({ lastStatus }) => lastStatus);
    await expect(state).resolves.toEqual(expect.any(String));
    await api.hosts.destroyAll();
  });

  test('an abort ends one wait, and with it the looking', async () => {
    const [arn = ''] = seed(1);
    const controller = new AbortController();
    const waiting = watch.until(arn, () => undefined, controller.signal);
    await until(() => Promise.resolve(describes() > 0));
    controller.abort();
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' });
  });
});
