import { startedByOf } from '../../../lib/contract/host-name';
import { HOST_TAGS } from '../../../lib/contract/tags';
import { denied } from '../../support/endpoint/denied';
import { startHostsApi } from '../../support/host/hosts-api';
import type { HostsApi } from '../../support/host/hosts-api';

describe('listing a fleet', () => {
  let api: HostsApi;

  beforeAll(async () => {
    api = await startHostsApi();
    for (const [provider, count] of [
      ['fargate', 1150],
      ['other', 50],
    ] as const) {
      api.local.control.seed({
        count,
        startedBy: startedByOf(provider, 'seed-{n}'),
        tags: { [HOST_TAGS.provider]: provider, [HOST_TAGS.hostId]: 'host-{id}', [HOST_TAGS.hostName]: 'seed-{n}' },
      });
    }
  });
  afterAll(() => api.close());
  beforeEach(() => api.local.control.callLog.reset());

  test('takes two calls per hundred tasks and one per thousand addresses', async () => {
    const hosts = await api.hosts.list();
    expect(hosts).toHaveLength(1150);
    expect(hosts.every(({ privateIp }) => privateIp !== null)).toBe(true);
    expect(api.calls()).toMatchObject({
      'ecs:ListTasks': 12,
      'ecs:DescribeTasks': 12,
      'ec2:DescribeNetworkInterfaces': 2,
    });
  });

  test('fails when the addresses cannot be looked up', async () => {
    api.local.control.faults.set([denied('ec2:DescribeNetworkInterfaces')]);
    await expect(api.hosts.list()).rejects.toMatchObject({ code: 'denied' });
  });
});
