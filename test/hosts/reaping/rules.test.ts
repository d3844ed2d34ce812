import type { Task } from '@aws-sdk/client-ecs';
import fc from 'fast-check';
import { BOOT_ENVIRONMENT } from '../../../lib/contract/boot-variables';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { defaultRules, judge, judgeNamesakes } from '../../../lib/hosts/reaping/rules';
import type { Verdict } from '../../../lib/hosts/reaping/rules';
import { factsOf } from '../../../lib/hosts/reaping/task-facts';

const NOW = Date.parse('2026-11-21T12:00:00.000Z');
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const RULES = defaultRules('mngr-task');

const iso = (fromNow: number): string => new Date(NOW + fromNow).toISOString();

/** A ready host of two hours. */
function task(change: Partial<Task> = {}, tags: Readonly<Record<string, string | undefined>> = {}): Task {
  const all: Record<string, string | undefined> = {
    [HOST_TAGS.provider]: 'fargate',
    [HOST_TAGS.hostId]: 'host-1',
    [HOST_TAGS.hostName]: 'fox',
    [HOST_TAGS.createdAt]: iso(-2 * HOUR),
    [HOST_TAGS.readyAt]: iso(-2 * HOUR),
    ...tags,
  };
  return {
    taskArn: 'arn:aws:ecs:us-east-1:123456789012:task/mngr/a',
    taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/mngr-task:3',
    createdAt: new Date(NOW - 2 * HOUR),
    startedAt: new Date(NOW - 2 * HOUR),
    lastStatus: 'RUNNING',
    desiredStatus: 'RUNNING',
    startedBy: 'mngr/fargate/fox',
    group: 'family:mngr-task',
    tags: Object.entries(all).flatMap(([key, value]) => (value === undefined ? [] : [{ key, value }])),
    ...change,
  };
}

const verdictOn = (one: Task, rules = RULES): Verdict => judge(factsOf(one), rules, NOW);
const lease = (value: string): Partial<Task> => ({
  overrides: {
    containerOverrides: [{ name: 'agent', environment: [{ name: BOOT_ENVIRONMENT.bootLeaseSeconds, value }] }],
  },
});
const notReady = { [HOST_TAGS.readyAt]: undefined };

describe('what the reaper makes of a task', () => {
  it.each<[string, Task, object]>([
    ['a ready host', task(), { do: 'keep' }],
    [
      'one that was told to stop',
      task({ desiredStatus: 'STOPPED' }, { [HOST_TAGS.expiresAt]: iso(-HOUR) }),
      { do: 'keep' },
    ],
    [
      'one whose time is over',
      task({}, { [HOST_TAGS.expiresAt]: iso(-6 * MINUTE) }),
      { do: 'stop', reason: 'expired' },
    ],
    ['one whose time is over just now', task({}, { [HOST_TAGS.expiresAt]: iso(-4 * MINUTE) }), { do: 'keep' }],
    [
      'one whose time a launcher wrote that is three hours behind',
      task({}, { [HOST_TAGS.createdAt]: iso(-5 * HOUR), [HOST_TAGS.expiresAt]: iso(-2 * HOUR) }),
      { do: 'keep' },
    ],
    [
      'one whose time a launcher wrote that is three hours ahead',
      task({}, { [HOST_TAGS.createdAt]: iso(HOUR), [HOST_TAGS.expiresAt]: iso(2 * HOUR) }),
      { do: 'stop', reason: 'expired' },
    ],
    ['one without an age limit', task({ createdAt: new Date(NOW - 9000 * HOUR) }), { do: 'keep' }],
    [
      'one whose time is no time',
      task({}, { [HOST_TAGS.expiresAt]: 'tomorrow' }),
      { do: 'report', reason: 'unreadable-expiry' },
    ],
    [
      'one whose time has no zone',
      task({}, { [HOST_TAGS.expiresAt]: '2026-11-21T08:00:00' }),
      { do: 'report', reason: 'unreadable-expiry' },
    ],
    ['one that is not ready after two hours', task({}, notReady), { do: 'stop', reason: 'never-ready' }],
    ['one with a longer boot lease', task(lease('7200'), notReady), { do: 'keep' }],
    ['one that waits for its first login for ever', task(lease('0'), notReady), { do: 'report', reason: 'not-ready' }],
    ['one that started late', task({ startedAt: new Date(NOW - HOUR) }, notReady), { do: 'keep' }],
    [
      'one that never started',
      task({ startedAt: undefined, lastStatus: 'PENDING' }, notReady),
      { do: 'stop', reason: 'never-ready' },
    ],
    [
      "a stack's, which CloudFormation may still make ready",
      task({ ...lease('0'), startedAt: new Date(NOW - 1.9 * HOUR) }, { ...notReady, [HOST_TAGS.stackId]: 'arn' }),
      { do: 'keep' },
    ],
    [
      "a stack's, which CloudFormation has given up or never knew of",
      task(lease('0'), { ...notReady, [HOST_TAGS.stackId]: 'arn' }),
      { do: 'stop', reason: 'never-ready' },
    ],
    ['one without tags', task({ tags: [] }), { do: 'report', reason: 'untagged' }],
    ['one without tags, just made', task({ tags: [], createdAt: new Date(NOW - MINUTE) }), { do: 'keep' }],
    ['one whose tags ECS did not show', task({ tags: undefined }), { do: 'report', reason: 'tags-not-shown' }],
    ['one of unknown age', task({ createdAt: undefined }, notReady), { do: 'report', reason: 'unclear-age' }],
    ['one from the future', task({ createdAt: new Date(NOW + HOUR) }), { do: 'report', reason: 'unclear-age' }],
    [
      'one of another family',
      task({ taskDefinitionArn: 'arn:aws:ecs:us-east-1:123456789012:task-definition/web:1' }),
      { do: 'report', reason: 'other-family' },
    ],
  ])('%s', (_, one, expected) => {
    expect(verdictOn(one)).toMatchObject(expected);
  });

  it('stops tasks without tags where it was asked to, but never those of a service', () => {
    const asked = { ...RULES, stopUntagged: true };
    expect(verdictOn(task({ tags: [] }), asked)).toMatchObject({ do: 'stop', reason: 'untagged' });
    expect(verdictOn(task({ tags: [], group: 'service:web' }), asked)).toMatchObject({
      do: 'report',
      reason: 'untagged',
    });
  });

  it('stops nothing that it cannot read for certain, for any tags', () => {
    const text = fc.option(fc.string(), { nil: undefined });
    const odd = fc.record({ expiresAt: text, createdAt: text, hostId: text, hostName: text, provider: text });
    fc.assert(
      fc.property(odd, ({ expiresAt, createdAt, hostId, hostName, provider }) => {
        const tags = {
          [HOST_TAGS.expiresAt]: expiresAt,
          [HOST_TAGS.createdAt]: createdAt,
          [HOST_TAGS.hostId]: hostId,
          [HOST_TAGS.hostName]: hostName,
          [HOST_TAGS.provider]: provider,
        };
        expect(verdictOn(task({}, tags)).do).not.toBe('stop');
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what the reaper makes of hosts that share a name', () => {
  const host = (
    id: string,
    age: number,
    change: Partial<Task> = {},
    tags: Readonly<Record<string, string | undefined>> = {},
  ): Task =>
    task(
      {
        taskArn: `arn:aws:ecs:us-east-1:123456789012:task/mngr/${id}`,
        createdAt: new Date(NOW - age),
        startedAt: new Date(NOW - age),
        ...change,
      },
      { [HOST_TAGS.createdAt]: iso(-age), ...tags },
    );
  const verdicts = (...hosts: Task[]): string[] => {
    const found = judgeNamesakes(hosts.map(factsOf), RULES, NOW);
    return hosts.map(({ taskArn }) => found.get(taskArn ?? '')?.do ?? 'none');
  };
  const stack = { [HOST_TAGS.stackId]: 'arn:stack', [HOST_TAGS.stackResource]: 'Reviewer' };

  it('stops the younger ones, whoever is asked about first', () => {
    expect(verdicts(host('b', HOUR), host('a', 2 * HOUR), host('c', 30 * MINUTE))).toEqual(['stop', 'keep', 'stop']);
  });

  it('decides by the ARN between hosts of the same moment', () => {
    expect(verdicts(host('b', HOUR), host('a', HOUR))).toEqual(['stop', 'keep']);
  });

  it.each<[string, Task, Task]>([
    ['the younger is still being made', host('a', 2 * HOUR), host('b', 9 * MINUTE)],
    ['the younger is not ready', host('a', 2 * HOUR), host('b', HOUR, {}, notReady)],
    ['the older is not ready', host('a', HOUR, {}, notReady), host('b', 30 * MINUTE)],
    ['the older does not run', host('a', 2 * HOUR, { lastStatus: 'PENDING' }), host('b', HOUR)],
    ['the older is on its way out', host('a', 2 * HOUR, {}, { [HOST_TAGS.expiresAt]: iso(-HOUR) }), host('b', HOUR)],
    ['CloudFormation replaces one by the other', host('a', 2 * HOUR, {}, stack), host('b', HOUR, {}, stack)],
  ])('leaves the younger alone while %s', (_, elder, younger) => {
    expect(verdicts(elder, younger)[1]).toBe('keep');
  });

  it.each<[string, Task, Task]>([
    ['the younger was renamed to it', host('a', 2 * HOUR), host('b', HOUR, { startedBy: 'mngr/fargate/owl' })],
    ['the older was renamed to it', host('a', 2 * HOUR, { startedBy: 'mngr/fargate/owl' }), host('b', HOUR)],
    ['the younger belongs to a stack', host('a', 2 * HOUR), host('b', HOUR, {}, stack)],
    [
      'they belong to two resources of stacks',
      host('a', 2 * HOUR, {}, stack),
      host('b', HOUR, {}, { ...stack, [HOST_TAGS.stackResource]: 'Other' }),
    ],
  ])('only reports when %s', (_, elder, younger) => {
    expect(verdicts(elder, younger)).toEqual(['keep', 'report']);
  });

  it("stops a launcher's host under the name of a stack's", () => {
    expect(verdicts(host('a', 2 * HOUR, {}, stack), host('b', HOUR))).toEqual(['keep', 'stop']);
  });
});
