import { drain } from '../../../lambda/host-drain/drain';
import type { DrainOptions } from '../../../lambda/host-drain/drain';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { Tasks } from '../../../lib/hosts/ecs/tasks';
import { ReaperFleet } from '../../support/host/reaper-fleet';

const OWN_STACK = 'arn:aws:cloudformation:us-east-1:123456789012:stack/mngr-fargate/1';
const OTHER_STACK = 'arn:aws:cloudformation:us-east-1:123456789012:stack/reviews/2';
const ofStack = (id: string): Record<string, string> => ({ [HOST_TAGS.stackId]: id });

describe('draining an environment', () => {
  let fleet: ReaperFleet;
  const log: Readonly<Record<string, unknown>>[] = [];

  beforeEach(async () => {
    fleet = await ReaperFleet.start();
    log.length = 0;
  });
  afterEach(() => fleet.stop());

  const run = (options: Partial<DrainOptions> = {}, cluster = 'mngr'): Promise<number> => {
    let looks = 0;
    return drain(new Tasks(fleet.client(), cluster), {
      family: 'mngr-task',
      stackId: OWN_STACK,
      retain: false,
      pause: () => new Promise((resolve) => setImmediate(resolve)),
      isOver: () => ++looks > 2_000,
      tell: (line) => log.push(line),
      ...options,
    });
  };

  it('ends launchers’ hosts and those of its own stack, reports each, and leaves other tasks alone', async () => {
    const [fox, own] = [fleet.host('fox'), fleet.host('own', { tags: ofStack(OWN_STACK) })];
    const stranger = fleet.stranger();

    expect(await run()).toBe(2);

    expect((await fleet.describe(fox)).lastStatus).toBe('STOPPED');
    expect((await fleet.describe(own)).lastStatus).toBe('STOPPED');
    expect(await fleet.stopped([stranger])).toEqual([]);
    expect((await fleet.describe(fox)).stoppedReason).toBe('removed with its environment');
    expect(log.map(({ notice, host }) => `${String(notice)} ${String(host)}`).sort()).toEqual([
      'host-stopped fox',
      'host-stopped own',
    ]);
  });

  it('ends a fleet of several pages', async () => {
    for (let index = 0; index < 130; index++) fleet.host(`host-${index}`);

    expect(await run()).toBe(130);
  });

  it('stops nothing while another stack has a host there, and says which stack', async () => {
    const [fox] = [fleet.host('fox'), fleet.host('reviewer', { tags: ofStack(OTHER_STACK) })];

    await expect(run()).rejects.toMatchObject({
      message: `host reviewer cannot be stopped here: other stacks own them, such as ${OTHER_STACK}`,
      hint: 'delete those stacks first',
    });
    expect(await fleet.stopped([fox])).toEqual([]);
  });

  it('stops nothing when hosts are to be retained, and says which ones run', async () => {
    const fox = fleet.host('fox');

    await expect(run({ retain: true })).rejects.toThrow('running with retainHosts set: host fox');
    expect(await fleet.stopped([fox])).toEqual([]);
  });

  it('is done at once where no host runs, or where the cluster is gone', async () => {
    fleet.stranger();

    expect(await run({ retain: true })).toBe(0);
    expect(await run({}, 'gone')).toBe(0);
  });

  it('gives up with the names of those that are left when its time is over', async () => {
    fleet.host('fox');

    await expect(run({ isOver: () => true })).rejects.toThrow('not stopped in time: host fox');
  });
});
