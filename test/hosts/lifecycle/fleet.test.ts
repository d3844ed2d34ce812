import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  DeregisterTaskDefinitionCommand,
  DescribeTaskDefinitionCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
} from '@aws-sdk/client-ecs';
import type { TaskDefinition } from '@aws-sdk/client-ecs';
import { familyOf } from '../../../lib/contract/task-definition-family';
import { STACK_REVISION_TAG } from '../../../lib/contract/tags';
import { Hosts } from '../../../lib/hosts';
import { BASE_LABEL, OVERRIDES_LABEL } from '../../../lib/hosts/ecs/task-definitions';
import { until } from '../../support/run/eventually';
import { startHostsApi } from '../../support/host/hosts-api';
import type { HostsApi } from '../../support/host/hosts-api';

describe('API calls of the launcher', () => {
  let api: HostsApi;
  let hosts: Hosts;

  beforeAll(async () => {
    api = await startHostsApi();
    ({ hosts } = api);
  });
  afterAll(() => api.close());
  beforeEach(() => api.local.control.callLog.reset());

  test('an image override registers one revision and reuses it, and leaves the family’s own image alone', async () => {
    const create = (name: string, image?: string) => hosts.create({ name, image, wait: false });
    const own = await create('own');
    const other = await create('other', 'registry.test/other:1');
    const again = await create('again', 'registry.test/other:1');
    const third = await create('third', 'registry.test/third:1');
    const plain = await create('plain');
    expect(other.taskDefinitionArn).not.toBe(own.taskDefinitionArn);
    expect(again.taskDefinitionArn).toBe(other.taskDefinitionArn);
    expect(plain.taskDefinitionArn).toBe(own.taskDefinitionArn);
    expect(api.calls()['ecs:RegisterTaskDefinition']).toBe(2);
    expect(third.taskDefinitionArn).not.toBe(other.taskDefinitionArn);
    await hosts.destroyAll();
  });

  test('a deployment that rolls back does not keep the launcher from what the stack means', async () => {
    const ecs = new ECSClient(api.local.client);
    const family = api.config.task_definition.split('/').pop()?.split(':')[0] ?? '';
    const launcher = (): Hosts =>
      new Hosts({ config: { ...api.config, task_definition: family }, aws: api.aws, keyDirectory });
    const create = async (request: { name: string; image?: string }): Promise<string> => {
      const hosts = launcher();
      const { taskDefinitionArn } = await hosts.create({ ...request, wait: false });
      await hosts.destroy(request.name);
      await hosts.close();
      return taskDefinitionArn;
    };
    const keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-rollback-'));
    const before = await create({ name: 'before' });
    const { taskDefinition } = await ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition: before }));
    const tags = [{ key: STACK_REVISION_TAG, value: family }];
    const deployed = await ecs.send(new RegisterTaskDefinitionCommand({ ...taskDefinition, tags } as never));
    const during = await create({ name: 'during', image: 'registry.test/during:1' });
    await ecs.send(new DeregisterTaskDefinitionCommand({ taskDefinition: deployed.taskDefinition?.taskDefinitionArn }));
    expect(await create({ name: 'after' })).toBe(before);
    expect(await create({ name: 'image', image: 'registry.test/during:1' })).not.toBe(during);
    ecs.destroy();
    rmSync(keyDirectory, { recursive: true });
  });

  describe('revisions that an operator registers', () => {
    const keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-revisions-'));
    let operator: ECSClient;
    let own: TaskDefinition;
    let family: string;
    afterAll(() => {
      operator.destroy();
      rmSync(keyDirectory, { recursive: true });
    });
    beforeAll(async () => {
      operator = new ECSClient({ ...api.local.client, credentials: api.aws.credentials });
      family = familyOf(api.config.task_definition);
      const { taskDefinitionArn } = await create();
      const described = await operator.send(new DescribeTaskDefinitionCommand({ taskDefinition: taskDefinitionArn }));
      own = described.taskDefinition as TaskDefinition;
    });

    /** What a launcher runs that has never looked before. */
    async function create(image?: string): Promise<TaskDefinition> {
      const fresh = new Hosts({ config: { ...api.config, task_definition: family }, aws: api.aws, keyDirectory });
      const { taskDefinitionArn } = await fresh.create({ name: 'dev', image, wait: false });
      await fresh.destroy('dev');
      await fresh.close();
      const described = await operator.send(new DescribeTaskDefinitionCommand({ taskDefinition: taskDefinitionArn }));
      return described.taskDefinition as TaskDefinition;
    }
    const imageOf = ({ containerDefinitions }: TaskDefinition) => containerDefinitions?.[0]?.image;
    const register = (image: string, labels: Record<string, string>, more: object = {}) => {
      const [agent] = own.containerDefinitions ?? [];
      const containerDefinitions = [{ ...agent, image, dockerLabels: labels }];
      return operator.send(new RegisterTaskDefinitionCommand({ ...own, containerDefinitions, ...more } as never));
    };

    test('are not what others run', async () => {
      await register('registry.test/evil:1', {});
      expect((await create()).taskDefinitionArn).toBe(own.taskDefinitionArn);
    });

    test('are no base, whatever their labels say', async () => {
      const evil = await register('registry.test/evil:2', {});
      const evilArn = evil.taskDefinition?.taskDefinitionArn ?? '';
      for (const base of [evilArn, 'arn:aws:ecs:us-east-1:123456789012:task-definition/other:1', 'x'])
        await register('registry.test/evil:3', { [BASE_LABEL]: base });
      expect((await create()).taskDefinitionArn).toBe(own.taskDefinitionArn);
    });

    test('do not pass for an image that somebody asks for', async () => {
      const wanted = 'registry.test/wanted:1';
      const hash = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
      const evil = await register('registry.test/evil:4', {});
      const other = await register(wanted, {}, { cpu: '4096', memory: '8192' });
      const numbers = [evil, other].map(({ taskDefinition }) => String(taskDefinition?.revision));
      const base = { [BASE_LABEL]: own.taskDefinitionArn ?? '' };
      for (const said of [...numbers.map((number) => `{"${hash}":"${number}"}`), `{"${hash}":"self"}`, '{"x', '[]']) {
        await register('registry.test/evil:5', { ...base, [OVERRIDES_LABEL]: said });
        const got = await create(wanted);
        expect({ image: imageOf(got), cpu: got.cpu }).toEqual({ image: wanted, cpu: own.cpu });
      }
    });
  });

  test.each([
    [{ name: 'a.b' }, 'not a valid host name'],
    [{ name: 'a', cpu: 256, memory: 8192 }, 'memory 8192'],
    [{ name: 'a', ephemeralStorage: 500 }, 'ephemeral storage'],
    [{ name: 'a', tags: { 'mngr-x': '1' } }, 'reserved'],
    [{ name: 'a', env: { 'A-B': '1' } }, 'environment variable'],
    [{ name: 'a', authorizedKeys: ['ssh-rsa x\nssh-rsa y'] }, 'public key'],
    [{ name: 'a', command: [] }, 'command is empty'],
    [{ name: 'a', authorizedKeys: Array.from({ length: 30 }, () => `ssh-rsa ${'A'.repeat(372)} me`) }, '8192'],
  ])('%j is refused before any call', async (request, message) => {
    await expect(hosts.create(request)).rejects.toMatchObject({
      code: 'usage',
      message: expect.stringContaining(message),
    });
    expect(api.calls()).toEqual({});
  });

  test('names of many creates at once are looked up together', async () => {
    const names = Array.from({ length: 30 }, (_, index) => `many-${index}`);
    const create = (name: string) => hosts.create({ name, wait: false });
    await Promise.all(names.map(create));
    expect(api.calls()).toMatchObject({ 'ecs:RunTask': 30, 'ecs:ListTasks': 1 });
    const again = await Promise.allSettled(names.map(create));
    expect(again.map((outcome) => outcome.status === 'rejected' && (outcome.reason as { code: string }).code)).toEqual(
      names.map(() => 'already-exists'),
    );
    expect(api.calls()).toMatchObject({ 'ecs:RunTask': 30, 'ecs:ListTasks': 2 });
    await hosts.destroyAll();
  });

  test('Spot and more storage are asked for, and seen afterwards', async () => {
    const spot = await hosts.create({ name: 'cheap', wait: false, spot: true, ephemeralStorage: 50 });
    expect(spot).toMatchObject({ spot: true, ephemeralStorage: 50 });
    const plain = await hosts.create({ name: 'plain', wait: false });
    expect(plain).toMatchObject({ spot: false, ephemeralStorage: 20 });
    // What Fargate includes may not be asked for: RunTask takes 21 GiB and more.
    const least = await hosts.create({ name: 'least', wait: false, ephemeralStorage: 20 });
    expect(least).toMatchObject({ ephemeralStorage: 20 });
    await expect(hosts.get('cheap')).resolves.toMatchObject({ spot: true, ephemeralStorage: 50 });
    expect(spot.costUsd).toBeLessThanOrEqual(plain.costUsd);

    api.local.control.interruptSpot(spot.taskArn.split('/').pop() ?? '');
    const stopped = await until(async () =>
      (await hosts.list({ stopped: true })).find(({ name, state }) => name === 'cheap' && state === 'STOPPED'),
    );
    expect(stopped).toMatchObject({ stopCode: 'SpotInterruption', stoppedReason: 'Your Spot Task was interrupted.' });
    await hosts.destroyAll();
  });

  test('logs that are followed bring what is written later, and end with the host', async () => {
    const { runtime } = api.local;
    runtime.logLines = ['first'];
    const host = await hosts.create({ name: 'talker', wait: false });
    await until(async () => (await hosts.get('talker')).state === 'RUNNING');
    const lines: string[] = [];
    const following = (async () => {
      for await (const { message } of hosts.logs('talker', { follow: true })) lines.push(message);
    })();
    await until(() => Promise.resolve(lines.length === 1));
    runtime.logLines = ['first', 'second'];
    await until(() => Promise.resolve(lines.length === 2));
    await hosts.destroy(host.hostId);
    await following;
    expect(lines).toEqual(['first', 'second']);
  });

  test('following logs ends with its signal, without an error', async () => {
    api.local.runtime.logLines = ['first'];
    await hosts.create({ name: 'talker', wait: false });
    const controller = new AbortController();
    const lines: string[] = [];
    const options = { follow: true, signal: controller.signal };
    for await (const { message } of hosts.logs('talker', options)) {
      lines.push(message);
      controller.abort();
    }
    expect(lines).toEqual(['first']);
    await hosts.destroyAll();
  });
});
