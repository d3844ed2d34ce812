import { METRICS } from '../../../lib/contract/metrics';
import { REAPER_ENVIRONMENT } from '../../../lib/contract/reaper';
import { HOST_TAGS } from '../../../lib/contract/tags';
import type { handler as Handler } from '../../../lambda/reaper';
import { denied } from '../../support/endpoint/denied';
import { fromNow, HOUR, ReaperFleet } from '../../support/host/reaper-fleet';

/** The event of a rule with a schedule (EventBridge user guide, "Scheduled events"). */
const SCHEDULED = {
  version: '0',
  id: '89d1a02d-5ec7-412e-82f5-13505f849b41',
  'detail-type': 'Scheduled Event',
  source: 'aws.events',
  account: '123456789012',
  time: '2026-11-21T10:00:00Z',
  region: 'us-east-1',
  resources: ['arn:aws:events:us-east-1:123456789012:rule/SampleRule'],
  detail: {},
};

/** The event of a Fargate task that is RUNNING (ECS developer guide, "Amazon ECS task state change events"). */
const taskEvent = (detail: object) => ({
  version: '0',
  id: '3317b2af-7005-947d-b652-f55e762e571a',
  'detail-type': 'ECS Task State Change',
  source: 'aws.ecs',
  account: '123456789012',
  time: '2026-11-21T10:00:31Z',
  region: 'us-east-1',
  resources: ['arn:aws:ecs:us-east-1:123456789012:task/mngr/c13b4cb40f1f4fe4a2971f76ae5a47ad'],
  detail: {
    attachments: [
      {
        id: '1789bcae-ddfb-4d10-8ebe-8ac87ddba5b8',
        type: 'eni',
        status: 'ATTACHED',
        details: [
          { name: 'subnetId', value: 'subnet-abcd1234' },
          { name: 'networkInterfaceId', value: 'eni-abcd1234' },
          { name: 'macAddress', value: '0a:98:eb:a7:29:ba' },
          { name: 'privateIPv4Address', value: '10.0.0.10' },
        ],
      },
    ],
    availabilityZone: 'us-east-1c',
    clusterArn: 'arn:aws:ecs:us-east-1:123456789012:cluster/mngr',
    connectivity: 'CONNECTED',
    connectivityAt: '2026-11-21T10:00:12.000Z',
    containers: [
      {
        containerArn: 'arn:aws:ecs:us-east-1:123456789012:container/cf159fd6-3e3f-4a9e-84f9-66cbe726af01',
        lastStatus: 'RUNNING',
        name: 'agent',
        image: '123456789012.dkr.ecr.us-east-1.amazonaws.com/agent:latest',
        runtimeId: 'ad64cbc71c7fb31c55507ec24c9f77947132b03d48d9961115cf24f3b7307e1e',
        taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/mngr/c13b4cb40f1f4fe4a2971f76ae5a47ad',
        cpu: '0',
      },
    ],
    cpu: '1024',
    createdAt: '2026-11-21T10:00:00.402Z',
    desiredStatus: 'RUNNING',
    enableExecuteCommand: true,
    ephemeralStorage: { sizeInGiB: 20 },
    group: 'family:mngr-task',
    launchType: 'FARGATE',
    lastStatus: 'RUNNING',
    memory: '4096',
    overrides: { containerOverrides: [{ name: 'agent' }] },
    platformVersion: '1.4.0',
    pullStartedAt: '2026-11-21T10:00:20.103Z',
    startedAt: '2026-11-21T10:00:30.902Z',
    startedBy: 'mngr/fargate/fox',
    taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/mngr/c13b4cb40f1f4fe4a2971f76ae5a47ad',
    taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/mngr-task:7',
    updatedAt: '2026-11-21T10:00:30.902Z',
    version: 3,
    ...detail,
  },
});

const STOPPED = {
  desiredStatus: 'STOPPED',
  lastStatus: 'STOPPED',
  stoppedAt: '2026-11-21T11:00:00.000Z',
  stopCode: 'EssentialContainerExited',
  stoppedReason: 'Essential container in task exited',
  version: 6,
};

type Line = Readonly<Record<string, unknown>> & {
  readonly _aws?: { readonly CloudWatchMetrics: readonly Directive[] };
};
interface Directive {
  readonly Namespace: string;
  readonly Dimensions: readonly (readonly string[])[];
  readonly Metrics: readonly { readonly Name: string; readonly Unit: string }[];
}

describe('the Lambda function of the reaper', () => {
  let fleet: ReaperFleet;
  let environment: NodeJS.ProcessEnv;
  beforeEach(async () => {
    environment = { ...process.env };
    fleet = await ReaperFleet.start();
    Object.assign(process.env, fleet.local.env, {
      AWS_REGION: fleet.local.region,
      [REAPER_ENVIRONMENT.cluster]: 'mngr',
      [REAPER_ENVIRONMENT.family]: 'mngr-task',
      [REAPER_ENVIRONMENT.revisions]: 'true',
    });
  });
  afterEach(async () => {
    process.env = environment;
    await fleet.stop();
  });

  /** A new execution environment: its entry point, and the lines that an invocation writes. */
  function functionWith(settings: NodeJS.ProcessEnv = {}) {
    Object.assign(process.env, settings);
    let handler: typeof Handler | undefined;
    jest.isolateModules(() => {
      ({ handler } = jest.requireActual<{ handler: typeof Handler }>('../../../lambda/reaper'));
    });
    return async (event: object, remaining = 300_000) => {
      const written: string[] = [];
      const write = jest.spyOn(process.stdout, 'write').mockImplementation((text) => written.push(String(text)) > 0);
      try {
        const answer = await handler?.(event, { getRemainingTimeInMillis: () => remaining });
        return { answer, lines: linesOf(written) };
      } catch (error) {
        return { error, lines: linesOf(written) };
      } finally {
        write.mockRestore();
      }
    };
  }
  const linesOf = (written: readonly string[]): Line[] =>
    written
      .join('')
      .split('\n')
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);

  /** Values of a metric by its dimensions beside the family, checked against the format's rules. */
  const metric = (lines: readonly Line[], name: string): Record<string, unknown> =>
    Object.fromEntries(
      lines.flatMap((line) =>
        (line._aws?.CloudWatchMetrics ?? []).flatMap(({ Namespace, Dimensions, Metrics }) => {
          expect(Namespace).toBe(METRICS.namespace);
          expect(line[METRICS.family]).toBe('mngr-task');
          if (!Metrics.some(({ Name }) => Name === name)) return [];
          const others = (Dimensions[0] ?? []).filter((key) => key !== METRICS.family);
          for (const key of others) expect(typeof line[key]).toBe('string');
          return [[others.map((key) => String(line[key])).join(), line[name]]];
        }),
      ),
    );
  const noticed = (lines: readonly Line[], name: string): Line[] => lines.filter(({ notice }) => notice === name);

  it('reaps at its schedule, and writes what it did and what there is', async () => {
    fleet.host('fox');
    const past = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    fleet.stranger('joe');
    const invoke = functionWith();
    const { answer, lines } = await invoke(SCHEDULED);
    expect(answer).toEqual({
      complete: true,
      stopped: { expired: 1 },
      reported: { untagged: 1 },
      leftovers: {},
      errors: 0,
    });
    await expect(fleet.stopped([past])).resolves.toEqual([past]);
    expect(noticed(lines, 'task-stopped')).toEqual([expect.objectContaining({ host: 'past', reason: 'expired' })]);
    expect(noticed(lines, 'reaper-run')).toHaveLength(1);
    expect(metric(lines, METRICS.hosts)).toEqual({ '': 2 });
    expect(metric(lines, METRICS.vcpuInUse)).toEqual({ '': 2 });
    expect(metric(lines, METRICS.costPerDay)).toEqual({
      '': expect.closeTo(2 * 24 * (0.04048 + 4 * 0.004445), 2) as number,
    });
    expect(metric(lines, METRICS.hostsByState)).toMatchObject({ RUNNING: 2, PENDING: 0, PROVISIONING: 0 });
    expect(metric(lines, METRICS.reaperStops)).toEqual({ '': 1, expired: 1 });
    expect(metric(lines, METRICS.reaperReports)).toEqual({ '': 1, untagged: 1 });
    expect(metric(lines, METRICS.reaperErrors)).toEqual({ '': 0 });
  });

  it('changes nothing in a dry run, and counts no stop', async () => {
    const past = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    const invoke = functionWith({ [REAPER_ENVIRONMENT.dryRun]: 'true' });
    const { lines } = await invoke(SCHEDULED);
    expect(noticed(lines, 'task-would-be-stopped')).toHaveLength(1);
    expect(metric(lines, METRICS.reaperStops)).toEqual({ '': 0 });
    await expect(fleet.stopped([past])).resolves.toEqual([]);
  });

  it('stops untagged tasks where that was asked for', async () => {
    const stranger = fleet.stranger();
    const invoke = functionWith({ [REAPER_ENVIRONMENT.stopUntagged]: 'true' });
    await invoke({});
    await expect(fleet.stopped([stranger])).resolves.toEqual([stranger]);
  });

  it('fails the invocation when the fleet could not be seen, after it has written its metrics', async () => {
    fleet.host('fox');
    fleet.local.control.faults.set([denied('ecs:ListTasks')]);
    const invoke = functionWith();
    const { error, lines } = await invoke(SCHEDULED);
    expect(error).toMatchObject({ message: expect.stringContaining('cannot list tasks of cluster mngr') as string });
    expect(noticed(lines, 'call-failed')).toHaveLength(1);
    expect(metric(lines, METRICS.reaperErrors)).toEqual({ '': 1 });
    expect(metric(lines, METRICS.hosts)).toEqual({});
  });

  it('ends in time when its time is short, without an error, and begins again the next time', async () => {
    const past = fleet.host('past', { tags: { [HOST_TAGS.expiresAt]: fromNow(-HOUR) } });
    const invoke = functionWith();
    await expect(invoke(SCHEDULED, 10_000)).resolves.toMatchObject({ answer: { complete: false, errors: 0 } });
    await expect(invoke(SCHEDULED)).resolves.toMatchObject({ answer: { complete: true, stopped: { expired: 1 } } });
    await expect(fleet.stopped([past])).resolves.toEqual([past]);
  });

  it('counts a start and how long it took, once for however many events, without a call of AWS', async () => {
    const invoke = functionWith();
    const { answer, lines } = await invoke(taskEvent({}));
    expect(answer).toBeUndefined();
    expect(noticed(lines, 'host-started')).toEqual([
      expect.objectContaining({ startedBy: 'mngr/fargate/fox', milliseconds: 30_500 }),
    ]);
    expect(metric(lines, METRICS.hostStarts)).toEqual({ '': 1 });
    expect(metric(lines, METRICS.hostStartTime)).toEqual({ '': 30_500 });
    // The agent of ECS Exec comes up, or EventBridge sends the event again.
    await expect(invoke(taskEvent({ version: 4 }))).resolves.toEqual({ answer: undefined, lines: [] });
    expect(fleet.local.control.callLog.list()).toEqual([]);
  });

  it.each([
    ['an idle host', { containers: [{ name: 'agent', exitCode: 143 }] }, 'ended-itself', 0],
    ['nobody logged in', { containers: [{ name: 'agent', exitCode: 75 }] }, 'boot-lease', 1],
    ['no key', { containers: [{ name: 'agent', exitCode: 77 }] }, 'boot-failed', 1],
    ['a crash', { containers: [{ name: 'agent', exitCode: 137 }] }, 'crashed', 0],
    ['no image', { stopCode: 'TaskFailedToStart', startedAt: undefined }, 'failed-to-start', 1],
    ['Spot', { stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.' }, 'spot', 0],
    ['destroy', { stopCode: 'UserInitiated', stoppedReason: 'destroyed by the launcher' }, 'destroyed', 0],
    ['a failed create', { stopCode: 'UserInitiated', stoppedReason: 'create failed: timed-out' }, 'create-failed', 1],
    ['the reaper', { stopCode: 'UserInitiated', stoppedReason: 'reaper: expired (its time …)' }, 'reaped', 0],
    ['an orphan', { stopCode: 'UserInitiated', stoppedReason: 'reaper: never-ready (not …)' }, 'reaped', 1],
    ['somebody', { stopCode: 'UserInitiated', stoppedReason: 'Task stopped by user' }, 'stopped', 0],
    ['retirement', { stopCode: 'InfrastructureHealth' }, 'other', 0],
  ])('says why a host ended: %s', async (_, detail, reason, failures) => {
    const invoke = functionWith();
    const { lines } = await invoke(taskEvent({ ...STOPPED, ...detail }));
    expect(noticed(lines, failures === 1 ? 'host-start-failed' : 'host-ended')).toEqual([
      expect.objectContaining({ reason }),
    ]);
    expect(metric(lines, METRICS.hostStops)).toEqual({ '': 1, [reason]: 1 });
    expect(metric(lines, METRICS.hostStartFailures)).toEqual({ '': failures });
  });

  it('is deaf to tasks of other families and to the states in between', async () => {
    const invoke = functionWith();
    const other = 'arn:aws:ecs:us-east-1:123456789012:task-definition/other:1';
    for (const detail of [{ taskDefinitionArn: other }, { lastStatus: 'DEPROVISIONING', desiredStatus: 'STOPPED' }]) {
      await expect(invoke(taskEvent(detail))).resolves.toEqual({ answer: undefined, lines: [] });
    }
  });

  it('says which setting is missing', async () => {
    delete process.env[REAPER_ENVIRONMENT.family];
    const invoke = functionWith();
    const { error } = await invoke(SCHEDULED);
    expect(error).toMatchObject({ message: expect.stringContaining(REAPER_ENVIRONMENT.family) as string });
  });
});
