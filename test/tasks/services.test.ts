import { CreateServiceCommand } from '@aws-sdk/client-ecs';
import { findTasks, resolveTarget, serviceTargets } from '../../lib/tasks';
import type { EcsTasks } from '../../lib/tasks';
import { eventually } from '../support/run/eventually';
import { TemplateTasks } from '../support/tasks/template-tasks';

let world: TemplateTasks;
let tasks: EcsTasks;
let cluster: string;
let family: string;

beforeAll(async () => {
  world = await TemplateTasks.start();
  ({ tasks, cluster, family } = world);
  await create('shop-web', 1);
  await create('shop-api', 2);
});
afterAll(() => world.close());

/** Two services of one task definition: what tools that look for its family mix up. */
async function create(serviceName: string, desiredCount: number): Promise<void> {
  await world.ecs.send(
    new CreateServiceCommand({
      cluster,
      serviceName,
      desiredCount,
      taskDefinition: family,
      launchType: 'FARGATE',
      networkConfiguration: { awsvpcConfiguration: { subnets: world.subnets } },
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
