import { StopTaskCommand, TagResourceCommand } from '@aws-sdk/client-ecs';
import { HOST_TAGS } from '../../../lib/contract/tags';
import type { LogEvent } from '../../../lib/hosts/reaping/journal';
import { reap } from '../../../lib/hosts/reaping/reap';
import type { ReapOptions, ReapResult } from '../../../lib/hosts/reaping/reap';
import { defaultRules } from '../../../lib/hosts/reaping/rules';
import { denied } from '../../support/endpoint/denied';
import { fromNow, HOUR, MINUTE, ReaperFleet } from '../../support/host/reaper-fleet';

describe('a run of the reaper', () => {
  let fleet: ReaperFleet;
  let notices: LogEvent[];
  beforeEach(async () => {
    fleet = await ReaperFleet.start();
    notices = [];
  });
  afterEach(async () => {
    await fleet.stop();
    expect(fleet.local.faults).toEqual([]);
  });

  const run = (options: Partial<ReapOptions> = {}): Promise<ReapResult> =>
    reap(fleet.tasks(), {
      rules: defaultRules('mngr-task'),
      place: { region: 'us-east-1', publicIp: false },
      tell: (notice) => notices.push(notice),
      ...options,
    });
  const told = (name: string): LogEvent[] => notices.filter(({ notice }) => notice === name);

  it('leaves ready hosts alone and counts them', async () => {
    fleet.host('fox');
    fleet.host('owl', { tags: { [HOST_TAGS.expiresAt]: fromNow(HOUR) } });
    const result = await run();
    expect(result).toMatchObject({ complete: true, stopped: {}, reported: {}, errors: 0 });
    expect(result.census).toMatchObject({ hosts: 2, vcpu: 2, states: new Map([['RUNNING', 2]]) });
    expect(notices).toEqual([expect.objectContaining({ notice: 'reaper-run', complete: true, hosts: 2 })]);
    expect(fleet.calls('StopTask')).toBe(0);
  });

  it('stops a host past its time, after the grace, and says why in ECS and in the log', async () => {
    const past = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-6 * MINUTE) } });
    const inGrace = fleet.host('grace', { tags: { [HOST_TAGS.expiresAt]: fromNow(-4 * MINUTE) } });
    const result = await run();
    expect(result.stopped).toEqual({ expired: 1 });
    await expect(fleet.stopped([past, inGrace])).resolves.toEqual([past]);
    await expect(fleet.describe(past)).resolves.toMatchObject({
      stopCode: 'UserInitiated',
      stoppedReason: expect.stringMatching(/^reaper: expired \(its age limit was reached at \d{4}-/) as string,
    });
    expect(told('task-stopped')).toEqual([
      expect.objectContaining({ reason: 'expired', host: 'past', taskArn: past, provider: 'fargate' }),
    ]);
  });

  it("stops a shell's task that has outlived its longest life, after the grace", async () => {
    const outlived = fleet.shell('3600', HOUR + 6 * MINUTE);
    const inGrace = fleet.shell('3600', HOUR + 4 * MINUTE);
    const unclear = fleet.shell('soon', HOUR);
    const result = await run();
    expect(result.stopped).toEqual({ expired: 1 });
    await expect(fleet.stopped([outlived, inGrace, unclear])).resolves.toEqual([outlived]);
    expect(told('task-stopped')).toEqual([
      expect.objectContaining({ because: expect.stringMatching(/^a shell's task whose longest life ended/) as string }),
    ]);
    expect(told('task-reported')).toContainEqual(
      expect.objectContaining({ reason: 'unreadable-expiry', taskArn: unclear }),
    );
  });

  it('stops hosts that never became ready, once boot lease and patience are over', async () => {
    const notReady = { tags: { [HOST_TAGS.readyAt]: undefined } };
    const orphan = fleet.host('orphan', { ...notReady, age: 71 * MINUTE });
    const booting = fleet.host('booting', { ...notReady, age: 69 * MINUTE });
    const result = await run();
    expect(result.stopped).toEqual({ 'never-ready': 1 });
    await expect(fleet.stopped([orphan, booting])).resolves.toEqual([orphan]);
  });

  it('stops the younger of two hosts that were launched under one name', async () => {
    const elder = fleet.host('fox', { age: 3 * HOUR });
    const younger = fleet.host('fox', { age: HOUR });
    const elsewhere = fleet.host('fox', { age: 2 * HOUR, tags: { [HOST_TAGS.provider]: 'other' } });
    const result = await run();
    expect(result.stopped).toEqual({ 'name-held-twice': 1 });
    await expect(fleet.stopped([elder, younger, elsewhere])).resolves.toEqual([younger]);
    expect(told('task-stopped')).toEqual([
      expect.objectContaining({ because: expect.stringContaining(elder) as string }),
    ]);
  });

  it("reports tasks without a host's tags, and stops them when asked to", async () => {
    const stranger = fleet.stranger('joe');
    const fresh = fleet.stranger('jane', MINUTE);
    await expect(run()).resolves.toMatchObject({ stopped: {}, reported: { untagged: 1 } });
    expect(told('task-reported')).toEqual([expect.objectContaining({ taskArn: stranger, startedBy: 'joe' })]);
    await expect(run({ rules: { ...defaultRules('mngr-task'), stopUntagged: true } })).resolves.toMatchObject({
      stopped: { untagged: 1 },
    });
    await expect(fleet.stopped([stranger, fresh])).resolves.toEqual([stranger]);
  });

  it('decides and tells the same in a dry run, and stops nothing', async () => {
    const past = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    fleet.host('fox', { age: 3 * HOUR });
    fleet.host('fox', { age: HOUR });
    const result = await run({ dryRun: true });
    expect(result).toMatchObject({ dryRun: true, stopped: { expired: 1, 'name-held-twice': 1 } });
    expect(told('task-would-be-stopped')).toHaveLength(2);
    await expect(fleet.stopped([past])).resolves.toEqual([]);
    expect(fleet.calls('StopTask')).toBe(0);
  });

  it('looks again right before the stop', async () => {
    const arn = fleet.host('late', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    const tasks = fleet.tasks();
    const describe = tasks.describePage.bind(tasks);
    // Somebody extends the host's time between the two looks.
    tasks.describePage = async (...args) => {
      const answer = await describe(...args);
      const tags = [{ key: HOST_TAGS.expiresAt, value: fromNow(HOUR) }];
      await fleet.ecs.send(new TagResourceCommand({ resourceArn: arn, tags }));
      return answer;
    };
    const result = await reap(tasks, {
      rules: defaultRules('mngr-task'),
      place: { region: 'us-east-1', publicIp: false },
      tell: (notice) => notices.push(notice),
    });
    expect(result.stopped).toEqual({});
    expect(told('task-spared')).toEqual([expect.objectContaining({ taskArn: arn, reason: 'expired' })]);
    await expect(fleet.stopped([arn])).resolves.toEqual([]);
  });

  it('reports a stop that is refused, and continues with the others', async () => {
    const arns = ['a', 'b'].map((name) => fleet.host(name, { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } }));
    fleet.local.control.faults.set([denied('ecs:StopTask', 1)]);
    await expect(run()).resolves.toMatchObject({ stopped: { expired: 1 }, errors: 1 });
    expect(told('task-stop-failed')).toEqual([
      expect.objectContaining({ reason: 'expired', error: expect.stringContaining('cannot stop task arn:') as string }),
    ]);
    await expect(fleet.stopped(arns)).resolves.toHaveLength(1);
    await expect(run()).resolves.toMatchObject({ stopped: { expired: 1 }, errors: 0 });
    await expect(fleet.stopped(arns)).resolves.toHaveLength(2);
  });

  it('stops nothing of what it could not see', async () => {
    const arn = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    fleet.local.control.faults.set([denied('ecs:DescribeTasks', 1)]);
    const result = await run({
      leftovers: [{ kind: 'thing', find: () => Promise.reject(new Error('asked')), remove: () => Promise.resolve() }],
    });
    expect(result).toMatchObject({ complete: false, stopped: {}, errors: 1 });
    expect(told('leftovers-not-looked-at')).toHaveLength(1);
    await expect(fleet.stopped([arn])).resolves.toEqual([]);
  });

  it('ends at the first page that cannot be listed, with the problem', async () => {
    fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    fleet.local.control.faults.set([denied('ecs:ListTasks', 1)]);
    const result = await run();
    expect(result).toMatchObject({ complete: false, stopped: {}, errors: 1 });
    expect(result.problem).toMatchObject({ code: 'denied' });
    expect(result.resume).toBeUndefined();
  });

  it('counts a task that is gone meanwhile as stopped', async () => {
    const arn = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    await fleet.ecs.send(new StopTaskCommand({ cluster: 'mngr', task: arn }));
    fleet.local.control.advanceClock(2 * HOUR);
    const tasks = fleet.tasks();
    await expect(tasks.stop(arn, 'again')).resolves.toBeUndefined();
  });

  it('continues where it had to stop, and knows the names from before', async () => {
    const elder = fleet.host('fox', { age: 5 * HOUR });
    fleet.local.control.seed({
      count: 900,
      startedBy: 'mngr/fargate/many-{n}',
      tags: { [HOST_TAGS.hostId]: 'host-{n}' },
    });
    const younger = fleet.host('fox', { age: HOUR });
    const stop = new AbortController();
    const tasks = fleet.tasks();
    const page = tasks.page.bind(tasks);
    let pages = 0;
    tasks.page = (...args) => {
      pages += 1;
      if (pages === 6) stop.abort();
      return page(...args);
    };
    const options: ReapOptions = {
      rules: defaultRules('mngr-task'),
      place: { region: 'us-east-1', publicIp: false },
      tell: (notice) => notices.push(notice),
    };
    const first = await reap(tasks, { ...options, signal: stop.signal });
    expect(first).toMatchObject({ complete: false, errors: 0, census: { hosts: 400 } });
    expect(first.problem).toBeUndefined();
    const second = await reap(tasks, { ...options, resume: first.resume });
    expect(second).toMatchObject({ complete: true, stopped: { 'name-held-twice': 1 }, census: { hosts: 902 } });
    await expect(fleet.stopped([elder, younger])).resolves.toEqual([younger]);
  });
});
