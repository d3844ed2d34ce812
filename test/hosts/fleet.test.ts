import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { STACK_OUTPUTS } from '../../lib/contract/outputs';
import { providerConfigSchema } from '../../lib/contract/provider-config';
import { Hosts } from '../../lib/hosts';
import type { FakeRuntime } from '../support/fake-runtime';
import { startLocalEndpoint } from '../support/local-endpoint';
import type { LocalEndpoint } from '../support/local-endpoint';

describe('API calls of the launcher', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let hosts: Hosts;
  let keyDirectory: string;

  beforeAll(async () => {
    local = await startLocalEndpoint();
    keyDirectory = mkdtempSync(join(tmpdir(), 'mngr-fleet-'));
    const list = (key: keyof typeof STACK_OUTPUTS): string[] => (local.outputs[STACK_OUTPUTS[key]] ?? '').split(',');
    const config = providerConfigSchema.parse({
      aws_region: local.region,
      ecs_cluster: list('ecsCluster')[0],
      task_definition: list('taskDefinition')[0],
      subnets: list('subnets'),
      security_groups: list('securityGroups'),
    });
    const aws = { endpoint: local.endpoint, credentials: () => Promise.resolve(local.credentials) };
    hosts = new Hosts({ config, keyDirectory, aws });
  });
  afterAll(async () => {
    await hosts.close();
    await local.destroy();
    rmSync(keyDirectory, { recursive: true });
  });
  beforeEach(() => local.control.callLog.reset());

  const counts = (): Record<string, number> =>
    Object.fromEntries(Object.entries(local.control.callLog.summary()).map(([name, { count }]) => [name, count]));

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
    expect(counts()['ecs:RegisterTaskDefinition']).toBe(2);
    expect(third.taskDefinitionArn).not.toBe(other.taskDefinitionArn);
    await hosts.destroyAll();
  });

  test.each([
    [{ name: 'a.b' }, 'no host name'],
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
    expect(counts()).toEqual({});
  });
});
