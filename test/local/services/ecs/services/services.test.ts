import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CreateClusterCommand,
  CreateServiceCommand,
  DeleteClusterCommand,
  DeleteServiceCommand,
  DescribeServicesCommand,
  DescribeTasksCommand,
  ECSClient,
  ListServicesCommand,
  ListTasksCommand,
  ListTagsForResourceCommand,
  RegisterTaskDefinitionCommand,
  StopTaskCommand,
  UpdateServiceCommand,
} from '@aws-sdk/client-ecs';
import type { CreateServiceCommandInput, Service, Task, UpdateServiceCommandInput } from '@aws-sdk/client-ecs';
import type { Template } from '../../../../../lib/local/template/stack';
import { FakeRuntime } from '../../../../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../../support/endpoint/local-endpoint';
import { eventually } from '../../../../support/run/eventually';

const TEMPLATE_SERVICE = (desiredCount: number): Template['Resources'] => ({
  Web: {
    Type: 'AWS::ECS::Service',
    Properties: {
      Cluster: { Ref: 'Cluster' },
      ServiceName: 'from-template',
      TaskDefinition: { Ref: 'TaskDefinition' },
      DesiredCount: desiredCount,
      LaunchType: 'FARGATE',
      EnableExecuteCommand: true,
      NetworkConfiguration: { AwsvpcConfiguration: { Subnets: [{ Ref: 'SubnetA' }], AssignPublicIp: 'DISABLED' } },
      Tags: [{ Key: 'team', Value: 'a' }],
    },
  },
});

describe('a service', () => {
  let directory: string;
  let runtime: FakeRuntime;
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'services-'));
    runtime = new FakeRuntime();
    await start();
    await ecs.send(new CreateClusterCommand({ clusterName: 'apps' }));
    await register('nginx:1');
  });

  const start = async (resources?: Template['Resources']): Promise<void> => {
    local = await startLocalEndpoint({ runtime, stateDirectory: directory, resources });
    ecs = new ECSClient(local.client);
  };

  const restart = async (resources?: Template['Resources']): Promise<void> => {
    ecs.destroy();
    await local.stop();
    await start(resources);
  };

  afterEach(async () => {
    ecs.destroy();
    await local.destroy();
    await rm(directory, { recursive: true, force: true });
    expect(local.faults).toEqual([]);
  });

  const register = async (image: string): Promise<string> => {
    const { taskDefinition } = await ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'web',
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions: [{ name: 'web', image }],
      }),
    );
    return taskDefinition?.taskDefinitionArn ?? '';
  };

  const create = (change: Partial<CreateServiceCommandInput> = {}) =>
    ecs.send(
      new CreateServiceCommand({
        cluster: 'apps',
        serviceName: 'web',
        taskDefinition: 'web',
        desiredCount: 2,
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
        ...change,
      }),
    );

  const update = (change: Partial<UpdateServiceCommandInput>) =>
    ecs.send(new UpdateServiceCommand({ cluster: 'apps', service: 'web', ...change }));

  const describeService = async (cluster = 'apps', name = 'web'): Promise<Service> => {
    const { services } = await ecs.send(new DescribeServicesCommand({ cluster, services: [name], include: ['TAGS'] }));
    return services?.[0] as Service;
  };

  /** As the waiter ServicesStable sees it. */
  const stable = (cluster?: string, name?: string): Promise<Service> =>
    eventually(async () => {
      const service = await describeService(cluster, name);
      expect(service.deployments).toHaveLength(1);
      expect(service).toMatchObject({ runningCount: service.desiredCount, pendingCount: 0 });
      expect(service.deployments?.[0]?.rolloutState).toBe('COMPLETED');
      return service;
    });

  const tasks = async (cluster = 'apps', serviceName = 'web'): Promise<Task[]> => {
    const { taskArns = [] } = await ecs.send(new ListTasksCommand({ cluster, serviceName }));
    if (taskArns.length === 0) return [];
    return (await ecs.send(new DescribeTasksCommand({ cluster, tasks: taskArns, include: ['TAGS'] }))).tasks ?? [];
  };

  const messages = ({ events = [] }: Service): string =>
    events
      .map(({ message }) => message ?? '')
      .reverse()
      .join('\n');

  it('starts its tasks, which are found by its name, and says what it did', async () => {
    const { service } = await create({
      propagateTags: 'SERVICE',
      enableECSManagedTags: true,
      tags: [{ key: 'team', value: 'a' }],
    });
    expect(service).toMatchObject({
      serviceArn: 'arn:aws:ecs:us-east-1:000000000000:service/apps/web',
      status: 'ACTIVE',
      runningCount: 0,
      deployments: [{ status: 'PRIMARY', desiredCount: 2, rolloutState: 'IN_PROGRESS' }],
    });
    const described = await stable();
    expect(messages(described)).toMatch(
      /^\(service web\) has started 2 tasks: \(task \w+\) \(task \w+\)\.\n\(service web\) \(deployment ecs-svc\/\d+\) deployment completed\.\n\(service web\) has reached a steady state\.$/,
    );
    const running = await tasks();
    expect(running).toHaveLength(2);
    for (const task of running) {
      expect(task).toMatchObject({ group: 'service:web', startedBy: service?.deployments?.[0]?.id });
      expect(task.tags).toEqual([
        { key: 'team', value: 'a' },
        { key: 'aws:ecs:clusterName', value: 'apps' },
        { key: 'aws:ecs:serviceName', value: 'web' },
      ]);
    }
    expect((await ecs.send(new ListServicesCommand({ cluster: 'apps' }))).serviceArns).toEqual([service?.serviceArn]);
    const { tags } = await ecs.send(new ListTagsForResourceCommand({ resourceArn: service?.serviceArn }));
    expect(tags).toEqual([{ key: 'team', value: 'a' }]);
  });

  it('replaces a task that dies and one that somebody stops', async () => {
    await create();
    await stable();
    const [first, second] = await tasks();
    const idOf = (task?: Task): string => task?.taskArn?.split('/').at(-1) ?? '';
    runtime.exit(idOf(first), 1);
    await ecs.send(new StopTaskCommand({ cluster: 'apps', task: idOf(second) }));
    await eventually(async () => {
      const now = (await tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING').map(idOf);
      expect(now).toHaveLength(2);
      expect(now).not.toContain(idOf(first));
      expect(now).not.toContain(idOf(second));
    });
  });

  it('follows its desired count up and down', async () => {
    await create({ desiredCount: 1 });
    const [kept] = await tasks();
    await update({ desiredCount: 3 });
    await eventually(async () => expect((await describeService()).runningCount).toBe(3));
    await update({ desiredCount: 1 });
    await eventually(async () => expect((await describeService()).runningCount).toBe(1));
    expect((await tasks()).map(({ taskArn }) => taskArn)).toEqual([kept?.taskArn]);
    const { taskArns = [] } = await ecs.send(
      new ListTasksCommand({ cluster: 'apps', serviceName: 'web', desiredStatus: 'STOPPED' }),
    );
    const { tasks: stopped } = await ecs.send(new DescribeTasksCommand({ cluster: 'apps', tasks: taskArns }));
    expect(stopped).toHaveLength(2);
    expect(stopped?.[0]).toMatchObject({
      stopCode: 'ServiceSchedulerInitiated',
      stoppedReason: expect.stringMatching(/^Scaling activity initiated by \(deployment ecs-svc\/\d+\)$/) as string,
    });
  });

  it('rolls a new revision out without ever having fewer tasks than it shall', async () => {
    await create();
    const before = await stable();
    const definition = await register('nginx:2');
    let fewest = Number.POSITIVE_INFINITY;
    local.world.events.on('taskStatus', () => {
      const running = [...local.control.tasks.all()].filter(({ task }) => task.lastStatus === 'RUNNING').length;
      fewest = Math.min(fewest, running);
    });
    const { service } = await update({ taskDefinition: 'web' });
    expect(service).toMatchObject({
      taskDefinition: definition,
      deployments: [
        { status: 'PRIMARY', taskDefinition: definition },
        { status: 'ACTIVE', taskDefinition: before.taskDefinition },
      ],
    });
    const after = await stable();
    expect(after.deployments?.[0]?.id).toBe(service?.deployments?.[0]?.id);
    expect((await tasks()).map(({ taskDefinitionArn }) => taskDefinitionArn)).toEqual([definition, definition]);
    expect(fewest).toBe(2);
  });

  it('gives running tasks ECS Exec only by a new deployment', async () => {
    await create({ desiredCount: 1 });
    await stable();
    await update({ enableExecuteCommand: true });
    expect(await tasks()).toMatchObject([{ enableExecuteCommand: false }]);
    await update({ forceNewDeployment: true });
    await stable();
    expect(await tasks()).toMatchObject([{ enableExecuteCommand: true }]);
  });

  it('drains when it is deleted, is no more listed, and then lets its cluster go', async () => {
    await create();
    await stable();
    const remove = (force?: boolean) => ecs.send(new DeleteServiceCommand({ cluster: 'apps', service: 'web', force }));
    await expect(remove()).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'The service cannot be stopped while it is scaled above 0.',
    });
    local.control.delays.set({ deactivating: 60_000 });
    expect((await remove(true)).service).toMatchObject({ status: 'DRAINING', desiredCount: 0 });
    await expect(create()).rejects.toMatchObject({ message: 'Unable to Start a service that is still Draining.' });
    await expect(update({ desiredCount: 1 })).rejects.toMatchObject({ name: 'ServiceNotActiveException' });
    await expect(ecs.send(new DeleteClusterCommand({ cluster: 'apps' }))).rejects.toMatchObject({
      name: 'ClusterContainsServicesException',
    });
    expect((await ecs.send(new ListServicesCommand({ cluster: 'apps' }))).serviceArns).toEqual([]);
    local.control.reset();
    await restart();
    await eventually(async () => expect((await describeService()).status).toBe('INACTIVE'));
    await expect(remove()).rejects.toMatchObject({ name: 'ServiceNotFoundException' });
    await ecs.send(new DeleteClusterCommand({ cluster: 'apps' }));
  });

  it('goes back to the last revision that worked when the new one fails to start', async () => {
    await create({
      desiredCount: 1,
      deploymentConfiguration: { deploymentCircuitBreaker: { enable: true, rollback: true } },
    });
    const { taskDefinition } = await stable();
    await register('unavailable');
    await update({ taskDefinition: 'web' });
    const after = await eventually(async () => {
      const service = await describeService();
      expect(service.taskDefinition).toBe(taskDefinition);
      expect(service.deployments).toHaveLength(1);
      return service;
    });
    expect(messages(after)).toMatch(/deployment failed: tasks failed to start/);
    expect(await tasks()).toHaveLength(1);
  });

  it('goes on after the endpoint was started again', async () => {
    await create();
    await stable();
    const [first] = await tasks();
    ecs.destroy();
    await local.stop();
    runtime.exit(first?.taskArn?.split('/').at(-1) ?? '', 1);
    await start();
    await eventually(async () => {
      const running = (await tasks()).filter(({ lastStatus }) => lastStatus === 'RUNNING');
      expect(running).toHaveLength(2);
      expect(running.map(({ taskArn }) => taskArn)).not.toContain(first?.taskArn);
    });
  });

  it('of a template is deployed, updated and ended with it', async () => {
    await restart(TEMPLATE_SERVICE(1));
    const service = await stable('mngr', 'from-template');
    expect(service).toMatchObject({ desiredCount: 1, enableExecuteCommand: true, tags: [{ key: 'team', value: 'a' }] });
    expect(await tasks('mngr', 'from-template')).toMatchObject([{ group: 'service:from-template' }]);
    await restart(TEMPLATE_SERVICE(2));
    await eventually(async () => expect((await describeService('mngr', 'from-template')).runningCount).toBe(2));
    await restart();
    await eventually(async () => expect((await describeService('mngr', 'from-template')).status).toBe('INACTIVE'));
  });

  it.each<[string, string, Partial<CreateServiceCommandInput>]>([
    ['a load balancer', 'InvalidParameterException', { loadBalancers: [{ containerName: 'web', containerPort: 80 }] }],
    ['an unknown cluster', 'ClusterNotFoundException', { cluster: 'none' }],
    ['an unknown definition', 'ClientException', { taskDefinition: 'none' }],
    ['a name with a dot', 'InvalidParameterException', { serviceName: 'a.b' }],
    ['a count below zero', 'InvalidParameterException', { desiredCount: -1 }],
    ['DAEMON', 'InvalidParameterException', { schedulingStrategy: 'DAEMON' }],
    [
      'limits that block deployments',
      'InvalidParameterException',
      { deploymentConfiguration: { maximumPercent: 100, minimumHealthyPercent: 100 } },
    ],
  ])('is refused with %s', async (_, name, change) => {
    await expect(create(change)).rejects.toMatchObject({ name });
  });

  it('is answered with again when it is asked for again, and refused when it differs', async () => {
    const { service } = await create();
    expect((await create()).service?.serviceArn).toBe(service?.serviceArn);
    await expect(create({ desiredCount: 1 })).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Creation of service was not idempotent.',
    });
  });

  it('that is not there is MISSING, and no tasks are listed of it', async () => {
    const { failures } = await ecs.send(new DescribeServicesCommand({ cluster: 'apps', services: ['none'] }));
    expect(failures).toEqual([{ arn: 'arn:aws:ecs:us-east-1:000000000000:service/apps/none', reason: 'MISSING' }]);
    await expect(tasks('apps', 'none')).rejects.toMatchObject({ name: 'ServiceNotFoundException' });
  });
});
