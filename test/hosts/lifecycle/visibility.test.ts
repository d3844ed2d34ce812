import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { familyOf } from '../../../lib/contract/task-definition-family';
import { Hosts } from '../../../lib/hosts';
import { StackHosts } from '../../../lib/hosts/lifecycle/stack-hosts';
import { startHostsApi } from '../../support/host/hosts-api';
import type { HostsApi } from '../../support/host/hosts-api';

/** How late the endpoint finds a new task. Milliseconds. */
const LAG_MS = 700;

describe('a task that ECS does not show yet', () => {
  let api: HostsApi;
  const others: { readonly hosts: Hosts; readonly keyDirectory: string }[] = [];

  beforeAll(async () => {
    api = await startHostsApi();
  });
  afterAll(() => api.close());
  beforeEach(() => {
    api.local.control.tasks.consistency.describeTasks = LAG_MS;
  });
  afterEach(async () => {
    api.local.control.reset();
    await api.hosts.destroyAll();
    for (const { hosts, keyDirectory } of others.splice(0)) {
      await hosts.close();
      rmSync(keyDirectory, { recursive: true, force: true });
    }
  });

  const anotherMachine = (): Hosts => {
    const keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-visibility-'));
    const hosts = new Hosts({ config: api.config, keyDirectory, aws: api.aws });
    others.push({ hosts, keyDirectory });
    return hosts;
  };
  const liveTasks = async (name: string): Promise<number> =>
    (await api.tasks.named({ provider: 'fargate', name, environment: familyOf(api.config.task_definition) }, 'RUNNING'))
      .length;

  test('has its name: a second machine is refused', async () => {
    const { taskArn } = await api.hosts.create({ name: 'twin', wait: false });
    const second = anotherMachine().create({ name: 'twin', wait: false });
    await expect(second).rejects.toMatchObject({ code: 'already-exists', details: { taskArn } });
    expect(await liveTasks('twin')).toBe(1);
  });

  test('has its name even while ListTasks does not show it either', async () => {
    api.local.control.tasks.consistency.listTasks = LAG_MS;
    const { taskArn } = await api.hosts.create({ name: 'unlisted', wait: false });
    const second = anotherMachine().create({ name: 'unlisted', wait: false });
    await expect(second).rejects.toMatchObject({ code: 'already-exists', details: { taskArn } });
    expect(await liveTasks('unlisted')).toBe(1);
  });

  test.each(['name', 'hostId', 'taskArn'] as const)('is destroyed by its %s', async (key) => {
    api.local.control.tasks.consistency.listTasks = LAG_MS;
    const host = await api.hosts.create({ name: 'short', wait: false });
    await expect(api.hosts.destroy(host[key])).resolves.toMatchObject({ taskArn: host.taskArn, wasRunning: true });
    expect(await liveTasks('short')).toBe(0);
  });

  test.each(['name', 'hostId'] as const)('is destroyed by its %s if the answer to its launch was lost', async (key) => {
    api.local.control.tasks.consistency.listTasks = LAG_MS;
    const host = await api.hosts.create({ name: 'unheard', wait: false });
    const file = join(dirname(host.identityFile ?? ''), 'host.json');
    writeFileSync(file, JSON.stringify({ ...JSON.parse(readFileSync(file, 'utf8')), taskArn: null }));
    await expect(api.hosts.destroy(host[key])).resolves.toMatchObject({ taskArn: host.taskArn, wasRunning: true });
    expect(await liveTasks('unheard')).toBe(0);
  });

  test('has not stopped yet for the stack that deletes it', async () => {
    const { taskArn } = await api.hosts.create({ name: 'stacked', wait: false });
    const owner = { stackId: 'arn:aws:cloudformation:us-east-1:123456789012:stack/s/1', resource: 'Reviewer' };
    const stackHosts = new StackHosts(owner, { config: api.config, aws: api.aws });
    try {
      await expect(stackHosts.hasStopped(taskArn, 'removed', Date.now())).resolves.toBe(false);
      await stackHosts.stop(taskArn, 'removed');
    } finally {
      stackHosts.close();
    }
    expect(await liveTasks('stacked')).toBe(0);
  });
});
