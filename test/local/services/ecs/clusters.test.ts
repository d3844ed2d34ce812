import {
  CreateClusterCommand,
  DeleteClusterCommand,
  DescribeClustersCommand,
  DescribeTasksCommand,
  ECSClient,
  ListClustersCommand,
  ListTasksCommand,
  ListTaskDefinitionFamiliesCommand,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
  TagResourceCommand,
  waitUntilTasksStopped,
} from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeRuntime } from '../../../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import { eventually } from '../../../support/run/eventually';

describe('a cluster that no template names', () => {
  let directory: string;
  let runtime: FakeRuntime;
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'clusters-'));
    runtime = new FakeRuntime();
    await start();
  });

  const start = async (): Promise<void> => {
    local = await startLocalEndpoint({ runtime, stateDirectory: directory });
    ecs = new ECSClient(local.client);
  };

  afterEach(async () => {
    ecs.destroy();
    await local.destroy();
    await rm(directory, { recursive: true, force: true });
    expect(local.faults).toEqual([]);
  });

  const create = (name: string) => ecs.send(new CreateClusterCommand({ clusterName: name }));

  const run = async (family = 'web'): Promise<Task> => {
    await ecs.send(
      new RegisterTaskDefinitionCommand({
        family,
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions: [{ name: 'web', image: 'nginx' }],
      }),
    );
    const { tasks } = await ecs.send(
      new RunTaskCommand({
        cluster: 'apps',
        taskDefinition: family,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
      }),
    );
    return tasks?.[0] as Task;
  };

  it('is made, listed, described as it was asked for, and outlives the endpoint', async () => {
    const { cluster } = await ecs.send(
      new CreateClusterCommand({
        clusterName: 'apps',
        capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
        defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
        settings: [{ name: 'containerInsights', value: 'enhanced' }],
        configuration: {
          executeCommandConfiguration: { logging: 'OVERRIDE', logConfiguration: { cloudWatchLogGroupName: '/audit' } },
        },
        tags: [{ key: 'team', value: 'a' }],
      }),
    );
    expect(cluster).toMatchObject({ clusterName: 'apps', status: 'ACTIVE', activeServicesCount: 0 });
    await ecs.send(
      new TagResourceCommand({ resourceArn: cluster?.clusterArn, tags: [{ key: 'stage', value: 'test' }] }),
    );
    ecs.destroy();
    await local.stop();
    await start();
    expect((await ecs.send(new ListClustersCommand({}))).clusterArns).toContain(cluster?.clusterArn);
    const { clusters } = await ecs.send(
      new DescribeClustersCommand({ clusters: ['apps'], include: ['TAGS', 'SETTINGS', 'CONFIGURATIONS'] }),
    );
    expect(clusters).toMatchObject([
      {
        capacityProviders: ['FARGATE', 'FARGATE_SPOT'],
        defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE_SPOT', weight: 1 }],
        settings: [{ name: 'containerInsights', value: 'enhanced' }],
        configuration: { executeCommandConfiguration: { logging: 'OVERRIDE' } },
        tags: [
          { key: 'team', value: 'a' },
          { key: 'stage', value: 'test' },
        ],
      },
    ]);
  });

  it('is named default where no name is given, and answers to calls that name none', async () => {
    expect((await ecs.send(new CreateClusterCommand({}))).cluster?.clusterName).toBe('default');
    expect((await ecs.send(new ListTasksCommand({}))).taskArns).toEqual([]);
  });

  it('is answered with again, unless the second call contradicts the first', async () => {
    const { cluster } = await create('apps');
    expect((await create('apps')).cluster?.clusterArn).toBe(cluster?.clusterArn);
    await expect(
      ecs.send(new CreateClusterCommand({ clusterName: 'apps', capacityProviders: ['FARGATE'] })),
    ).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Arguments on this idempotent request are inconsistent with arguments used in previous request(s).',
    });
  });

  it('runs tasks of a definition that no template names, which are found by family', async () => {
    await create('apps');
    const task = await run();
    await run('worker');
    expect((await ecs.send(new ListTaskDefinitionFamiliesCommand({}))).families).toEqual([
      'mngr-task',
      'web',
      'worker',
    ]);
    await eventually(async () => {
      const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: 'apps', tasks: [task.taskArn ?? ''] }));
      expect(tasks?.[0]?.lastStatus).toBe('RUNNING');
    });
    const list = async (filter: object) =>
      (await ecs.send(new ListTasksCommand({ cluster: 'apps', ...filter }))).taskArns;
    expect(await list({})).toHaveLength(2);
    expect(await list({ family: 'web', launchType: 'FARGATE' })).toEqual([task.taskArn]);
    expect(await list({ launchType: 'EC2' })).toEqual([]);
    expect(await list({ desiredStatus: 'PENDING' })).toEqual([]);
    await expect(list({ family: 'web', serviceName: 'web' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'cannot specify serviceName with other arguments',
    });
  });

  it('is deleted once its tasks have stopped, stays visible as INACTIVE, and can be made anew', async () => {
    await create('apps');
    const task = await run();
    const remove = () => ecs.send(new DeleteClusterCommand({ cluster: 'apps' }));
    await expect(remove()).rejects.toMatchObject({ name: 'ClusterContainsTasksException' });
    await ecs.send(new StopTaskCommand({ cluster: 'apps', task: task.taskArn }));
    await waitUntilTasksStopped(
      { client: ecs, maxWaitTime: 30, minDelay: 1, maxDelay: 1 },
      { cluster: 'apps', tasks: [task.taskArn ?? ''] },
    );
    expect((await remove()).cluster?.status).toBe('INACTIVE');
    const { clusters } = await ecs.send(new DescribeClustersCommand({ clusters: ['apps'] }));
    expect(clusters).toMatchObject([{ status: 'INACTIVE' }]);
    expect((await ecs.send(new ListClustersCommand({}))).clusterArns).toHaveLength(1);
    await expect(remove()).rejects.toMatchObject({
      name: 'ClusterNotFoundException',
      message: 'The referenced cluster was inactive.',
    });
    expect((await create('apps')).cluster?.status).toBe('ACTIVE');
  });

  it.each<[string, object]>([
    ['a name with a dot', { clusterName: 'a.b' }],
    ['an unknown capacity provider', { capacityProviders: ['mine'] }],
    ['a strategy of another provider', { defaultCapacityProviderStrategy: [{ capacityProvider: 'FARGATE' }] }],
    ['an unknown setting', { settings: [{ name: 'containerInsights', value: 'maybe' }] }],
    ['OVERRIDE without where to', { configuration: { executeCommandConfiguration: { logging: 'OVERRIDE' } } }],
  ])('is refused with %s', async (_, change) => {
    await expect(ecs.send(new CreateClusterCommand({ clusterName: 'apps', ...change }))).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });
});
