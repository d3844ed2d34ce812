import { CreateServiceCommand, ECSClient } from '@aws-sdk/client-ecs';
import { STACK_OUTPUTS } from '../../lib/contract/outputs';
import { EcsTasks, findTasks, resolveTarget, serviceTargets } from '../../lib/tasks';
import type { FakeRuntime } from '../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import { eventually } from '../support/run/eventually';

let local: LocalEndpoint<FakeRuntime>;
let ecs: ECSClient;
let tasks: EcsTasks;
let cluster: string;
let family: string;

beforeAll(async () => {
  local = await startLocalEndpoint();
  ecs = new ECSClient(local.client);
  cluster = local.outputs[STACK_OUTPUTS.ecsCluster] ?? '';
  family = local.outputs[STACK_OUTPUTS.taskDefinition] ?? '';
  const credentials = (): Promise<typeof local.credentials> => Promise.resolve(local.credentials);
  tasks = new EcsTasks({ region: local.region }, { endpoint: local.endpoint, credentials });
  await create('shop-web', 1);
  await create('shop-api', 2);
});
afterAll(async () => {
  tasks.close();
  ecs.destroy();
  await local.destroy();
});

/** Two services of one task definition: what tools that look for its family mix up. */
async function create(serviceName: string, desiredCount: number): Promise<void> {
  const subnets = (local.outputs[STACK_OUTPUTS.subnets] ?? '').split(',');
  await ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName,
      desiredCount,
      taskDefinition: family,
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: { subnets } },
    }),
  );
  await eventually(async () => {
    const found = await findTasks(tasks, { cluster, service: serviceName });
    expect(found.filter(({ state }) => state === 'RUNNING')).toHaveLength(desiredCount);
  });
}

test('a task of a service, and never one of a sibling', async () => {
  const target = await resolveTarget(tasks, { cluster, service: 'shop-web' });
  expect(target).toMatchObject({ service: 'shop-web', family, container: 'agent' });
  await expect(resolveTarget(tasks, { cluster, service: 'shop-web', family })).resolves.toMatchObject({
    taskArn: target.taskArn,
  });
});

test('several tasks of a service', async () => {
  await expect(resolveTarget(tasks, { cluster, service: 'shop-api' })).rejects.toMatchObject({
    code: 'usage',
    details: {
      candidates: [expect.objectContaining({ service: 'shop-api' }), expect.objectContaining({ service: 'shop-api' })],
    },
  });
  await expect(resolveTarget(tasks, { cluster, service: 'shop-api' }, { newest: true })).resolves.toMatchObject({
    service: 'shop-api',
  });
});

test('a service that is not there, with the one that was meant', async () => {
  await expect(resolveTarget(tasks, { cluster, service: 'shop-wep' })).rejects.toMatchObject({
    code: 'not-found',
    message: `cluster ${cluster} has no service shop-wep`,
    hint: 'did you mean shop-web?',
  });
});

test('the services of a cluster as targets', async () => {
  await expect(serviceTargets(tasks, cluster)).resolves.toEqual([
    { service: 'shop-api', container: 'agent' },
    { service: 'shop-web', container: 'agent' },
  ]);
});
