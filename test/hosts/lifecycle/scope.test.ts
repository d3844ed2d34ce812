import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ECSClient, RegisterTaskDefinitionCommand, DescribeTaskDefinitionCommand } from '@aws-sdk/client-ecs';
import { newHostId } from '../../../lib/contract/host-name';
import { HOST_TAGS, STACK_REVISION_TAG } from '../../../lib/contract/tags';
import { Hosts } from '../../../lib/hosts';
import type { Host } from '../../../lib/hosts';
import { tagsOf } from '../../../lib/hosts/model/task-view';
import { denied } from '../../support/endpoint/denied';
import { startHostsApi } from '../../support/host/hosts-api';
import type { HostsApi } from '../../support/host/hosts-api';

const pending = { wait: false } as const;

describe('whose hosts a launcher acts on', () => {
  let api: HostsApi;
  let keyDirectory: string;
  const opened: Hosts[] = [];
  /** Another launcher on the same machine. */
  const launcher = (change: Partial<ConstructorParameters<typeof Hosts>[0]> = {}): Hosts => {
    const hosts = new Hosts({ config: api.config, aws: api.aws, keyDirectory, ...change });
    opened.push(hosts);
    return hosts;
  };
  const names = (hosts: readonly Host[]): string[] => hosts.map(({ name }) => name).sort();

  beforeAll(async () => {
    api = await startHostsApi();
  });
  beforeEach(() => {
    keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-scope-'));
  });
  afterEach(async () => {
    api.local.control.reset();
    await Promise.all(opened.splice(0).map((hosts) => hosts.destroyAll().then(() => hosts.close())));
    rmSync(keyDirectory, { recursive: true });
  });
  afterAll(() => api.close());

  test('two environments in one cluster have hosts of the same name, and do not touch each other’s', async () => {
    const ecs = new ECSClient(api.local.client);
    const { taskDefinition } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: api.config.task_definition }),
    );
    const { family: _, ...definition } = taskDefinition ?? {};
    await ecs.send(new RegisterTaskDefinitionCommand({ ...definition, family: 'other-environment' } as never));
    const a = launcher();
    const b = launcher({ config: { ...api.config, task_definition: 'other-environment' } });
    const first = await a.create({ name: 'dev', ...pending });
    const second = await b.create({ name: 'dev', ...pending });
    expect(second.taskArn).not.toBe(first.taskArn);
    expect(names(await a.list())).toEqual(['dev']);
    await expect(a.get('dev')).resolves.toMatchObject({ taskArn: first.taskArn });
    for (const reference of [second.taskArn, second.hostId])
      await expect(a.get(reference)).rejects.toMatchObject({ code: 'not-found' });

    await a.destroy('dev');
    await expect(a.destroy('dev')).resolves.toMatchObject({ taskArn: first.taskArn, wasRunning: false });
    await expect(b.get('dev')).resolves.toMatchObject({ state: expect.not.stringMatching(/STOP/) });
    ecs.destroy();
  });

  test('a name that two hosts have is refused, and both are found by their ids', async () => {
    const here = launcher();
    const renamed = await here.create({ name: 'first', ...pending });
    await here.rename('first', 'twin');
    // Another machine doesn't see a rename in ECS's index of names.
    const elsewhere = launcher({ keyDirectory: mkdtempSync(join(keyDirectory, 'elsewhere-')) });
    const launched = await elsewhere.create({ name: 'twin', ...pending });

    const candidates = [launched, renamed].map(({ hostId, taskArn }) => ({ hostId, taskArn }));
    for (const use of [here.get('twin'), here.destroy('twin'), here.rename('twin', 'other'), here.exec('twin', ['ls'])])
      await expect(use).rejects.toMatchObject({
        code: 'usage',
        message: expect.stringContaining(`2 hosts have the name twin: `) as string,
        details: { candidates: expect.arrayContaining(candidates) as unknown },
      });
    for (const { hostId, taskArn } of candidates)
      await expect(here.destroy(hostId)).resolves.toMatchObject({ taskArn, wasRunning: true });
  });

  test('a host says who made it and which environment it belongs to', async () => {
    const hosts = launcher();
    const own = await hosts.create({ name: 'own', ...pending });
    const mngrs = await hosts.create({ name: 'mngrs', owner: 'mngr', ...pending });
    expect([own.owner, mngrs.owner]).toEqual(['launcher', 'mngr']);
    const [task] = await api.tasks.describe([mngrs.taskArn]);
    expect(tagsOf(task as never)).toMatchObject({
      [HOST_TAGS.owner]: 'mngr',
      [HOST_TAGS.environment]: api.config.task_definition.split('/').pop()?.split(':')[0],
    });
  });

  test('a host id of another provider is not found, and neither its task nor its key is touched', async () => {
    const host = await launcher().create({ name: 'fox', ...pending });
    const other = launcher({ provider: 'other' });
    for (const reference of ['fox', host.hostId, host.taskArn])
      await expect(other.destroy(reference)).rejects.toMatchObject({ code: 'not-found' });
    expect(existsSync(host.identityFile ?? '')).toBe(true);
    await expect(launcher().get('fox')).resolves.toMatchObject({ taskArn: host.taskArn });
  });

  test.each([
    ['another account', (arn: string) => arn.replace(/:\d{12}:/, ':111122223333:')],
    ['another region', (arn: string) => arn.replace(/:ecs:[^:]+:/, ':ecs:eu-north-1:')],
    ['another cluster', (arn: string) => arn.replace(/task\/[^/]+/, 'task/elsewhere')],
  ])('a record of a host in %s is left alone, and does not block its name', async (_, moved) => {
    const old = await launcher().create({ name: 'fox', ...pending });
    await launcher().destroy('fox');
    const hostId = newHostId();
    const folder = join(keyDirectory, 'hosts', hostId);
    // As another environment's launcher on this machine would have written it.
    const file = join(folder, 'host.json');
    const record = { hostId, name: 'fox', provider: 'fargate', taskArn: moved(old.taskArn) };
    mkdirSync(folder, { recursive: true });
    writeFileSync(file, JSON.stringify({ ...record, createdAt: old.createdAt, nonce: null, setup: null }));

    await expect(launcher().destroy(hostId)).rejects.toMatchObject({ code: 'not-found' });
    expect(JSON.parse(readFileSync(file, 'utf8'))).toMatchObject(record);
    await expect(launcher().create({ name: 'fox', ...pending })).resolves.toMatchObject({ name: 'fox' });
  });

  test('of several hosts to destroy each is reported, and no other is touched', async () => {
    const hosts = launcher();
    for (const name of ['a', 'b', 'c']) await hosts.create({ name, ...pending });
    const listed = await hosts.list();
    await hosts.create({ name: 'late', ...pending });
    api.local.control.faults.set([denied('ecs:StopTask', 1)]);
    const outcomes = await hosts.destroyEach(listed);
    expect(outcomes).toHaveLength(3);
    expect(outcomes.filter((outcome) => 'error' in outcome)).toMatchObject([{ error: { code: 'denied' } }]);
    expect(names(await hosts.list())).toHaveLength(2);
    expect(names(await hosts.list())).toContain('late');
  });

  test('a host has the tags of the stack, which are on its task definition, unless its own say otherwise', async () => {
    const ecs = new ECSClient(api.local.client);
    const { taskDefinition } = await ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: api.config.task_definition }),
    );
    const family = taskDefinition?.family ?? '';
    const tags = Object.entries({ team: 'search', stage: 'production', [STACK_REVISION_TAG]: family }).map(
      ([key, value]) => ({ key, value }),
    );
    await ecs.send(new RegisterTaskDefinitionCommand({ ...taskDefinition, tags } as never));
    ecs.destroy();
    const host = await launcher().create({ name: 'tagged', tags: { stage: 'test' }, ...pending });
    await expect(launcher().get(host.taskArn)).resolves.toMatchObject({ tags: { team: 'search', stage: 'test' } });
  });
});
