import type { Task } from '@aws-sdk/client-ecs';
import { providerConfigSchema } from '../../../lib/contract/provider-config';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { hostOf } from '../../../lib/hosts/model/task-view';
import type { Host } from '../../../lib/hosts/model/types';

const CREATED = new Date('2026-11-21T10:00:00Z');
const TAGS = {
  [HOST_TAGS.provider]: 'fargate',
  [HOST_TAGS.hostId]: `host-${'a'.repeat(32)}`,
  [HOST_TAGS.hostName]: 'fox',
  [HOST_TAGS.createdAt]: '2026-11-21T09:59:58.000Z',
  [HOST_TAGS.readyAt]: '2026-11-21T10:00:10.000Z',
  [HOST_TAGS.expiresAt]: '2026-11-22T10:00:00.000Z',
};

/** The host that a task with these tags is; undefined takes a tag away. */
function host(changes: Readonly<Record<string, string | undefined>> = {}): Host {
  const tags = Object.entries({ ...TAGS, ...changes }).flatMap(([key, value]) =>
    value === undefined ? [] : [{ key, value }],
  );
  const task: Task = { tags, startedBy: 'mngr/fargate/first', createdAt: CREATED, lastStatus: 'RUNNING' };
  const files = { identityFile: null, knownHostsFile: null };
  return hostOf(task, providerConfigSchema.parse({}), undefined, files);
}

test('a host is what its tags say', () => {
  expect(host()).toMatchObject({
    name: 'fox',
    hostId: `host-${'a'.repeat(32)}`,
    createdAt: CREATED.toISOString(),
    ready: true,
    expiresAt: TAGS[HOST_TAGS.expiresAt],
  });
});

test('it was created when ECS says, not when the clock of its launcher said', () => {
  expect(host({ [HOST_TAGS.createdAt]: '1999-01-01T00:00:00.000Z' }).createdAt).toBe(CREATED.toISOString());
});

describe('a tag that somebody else has written', () => {
  test.each(['../../x y', '', 'a.b', 'x'.repeat(64), 'fox\u001b[31m'])('%j as a name leaves the first name', (name) => {
    expect(host({ [HOST_TAGS.hostName]: name }).name).toBe('first');
  });

  test.each(['../x', '', 'host-1', `host-${'A'.repeat(32)}`])('%j is not a host id', (hostId) => {
    expect(host({ [HOST_TAGS.hostId]: hostId }).hostId).toBe('');
  });

  test.each(['yesterday', '', '2026-13-45T00:00:00Z', '2026', '\u001b]0;x\u0007'])('%j is not a time', (time) => {
    expect(host({ [HOST_TAGS.createdAt]: time }).createdAt).toBe(CREATED.toISOString());
    expect(host({ [HOST_TAGS.expiresAt]: time }).expiresAt).toBeNull();
    expect(host({ [HOST_TAGS.readyAt]: time })).toMatchObject({ ready: false, readyAt: null });
  });
});
