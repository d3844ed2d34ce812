import type { Task } from '@aws-sdk/client-ecs';
import { providerConfigSchema } from '../../../lib/contract/provider-config';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { addressesOf, hostOf } from '../../../lib/hosts/model/task-view';
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
  return hostOf(task, providerConfigSchema.parse({}), { files });
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

describe('addresses of a host', () => {
  const addresses = { publicIp: '198.51.100.7', privateIp: '10.0.0.7', ipv6: '2001:db8::7' };
  const of = (assign: boolean, found: typeof addresses | Record<string, string | null>, task: Task = {}) =>
    addressesOf(task, providerConfigSchema.parse({ assign_public_ip: assign }), found as typeof addresses).map(
      ({ host: at }) => at,
    );

  test.each([
    ['IPv4 first, IPv6 beside it', true, addresses, ['198.51.100.7', '2001:db8::7']],
    ['private IPv4 where no public one is wanted', false, addresses, ['10.0.0.7', '2001:db8::7']],
    ['IPv6 alone', true, { ...addresses, publicIp: null, privateIp: null }, ['2001:db8::7']],
    ['the short form', true, { ...addresses, publicIp: null, ipv6: '2001:DB8:0:0:0:0:0:7' }, ['2001:db8::7']],
    ['IPv4 alone', true, { ...addresses, ipv6: null }, ['198.51.100.7']],
  ])('%s', (_what, assign, found, expected) => expect(of(assign, found)).toEqual(expected));

  test('IPv6 as ECS shows it, before EC2 is asked', () => {
    const task: Task = { containers: [{ name: 'agent', networkInterfaces: [{ ipv6Address: '2001:db8::7' }] }] };
    expect(addressesOf(task, providerConfigSchema.parse({}), undefined)).toEqual([
      { host: '2001:db8::7', port: 22, user: 'root' },
    ]);
  });
});
