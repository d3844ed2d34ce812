import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
  TagResourceCommand,
} from '@aws-sdk/client-ecs';
import type { RunTaskCommandInput, Task } from '@aws-sdk/client-ecs';
import { DescribeNetworkInterfacesCommand, EC2Client } from '@aws-sdk/client-ec2';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';
import { eventually } from '../../../support/run/eventually';

describe('a task', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;
  let ec2: EC2Client;

  beforeEach(async () => {
    local = await startLocalEndpoint();
    ecs = new ECSClient(local.client);
    ec2 = new EC2Client(local.client);
  });

  afterEach(async () => {
    ecs.destroy();
    ec2.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const request = (): RunTaskCommandInput => ({
    cluster: 'mngr',
    taskDefinition: 'mngr-task',
    launchType: 'FARGATE',
    startedBy: 'mngr/fargate/one',
    enableExecuteCommand: true,
    networkConfiguration: {
      awsvpcConfiguration: {
        subnets: local.outputs.Subnets?.split(','),
        securityGroups: [local.outputs.SecurityGroups ?? ''],
        assignPublicIp: 'ENABLED',
      },
    },
    overrides: { containerOverrides: [{ name: 'agent', environment: [{ name: 'NAME', value: 'one' }] }] },
    tags: [{ key: 'mngr-host-name', value: 'one' }],
  });

  const run = async (change: Partial<RunTaskCommandInput> = {}): Promise<Task> => {
    const { tasks } = await ecs.send(new RunTaskCommand({ ...request(), ...change }));
    return tasks?.[0] as Task;
  };

  const describeTask = async (task: Task): Promise<Task> => {
    const { tasks } = await ecs.send(
      new DescribeTasksCommand({ cluster: 'mngr', tasks: [task.taskArn ?? ''], include: ['TAGS'] }),
    );
    return tasks?.[0] as Task;
  };

  const reach = (task: Task, status: string): Promise<Task> =>
    eventually(async () => {
      const described = await describeTask(task);
      expect(described.lastStatus).toBe(status);
      return described;
    });

  const idOf = (task: Task): string => task.taskArn?.split('/').at(-1) ?? '';

  it('walks from PROVISIONING to RUNNING with an interface, an address and its tags', async () => {
    const launched = await run();
    expect(launched).toMatchObject({
      lastStatus: 'PROVISIONING',
      desiredStatus: 'RUNNING',
      attachments: [{ type: 'ElasticNetworkInterface', status: 'PRECREATED' }],
      launchType: 'FARGATE',
      platformVersion: '1.4.0',
      group: 'family:mngr-task',
    });
    const task = await reach(launched, 'RUNNING');
    expect(task.tags).toEqual([{ key: 'mngr-host-name', value: 'one' }]);
    expect(task.version).toBeGreaterThan(launched.version ?? 0);
    for (const time of ['createdAt', 'pullStartedAt', 'pullStoppedAt', 'connectivityAt', 'startedAt'] as const) {
      expect(task[time]).toBeInstanceOf(Date);
    }
    const details = Object.fromEntries(task.attachments?.[0]?.details?.map(({ name, value }) => [name, value]) ?? []);
    const { NetworkInterfaces } = await ec2.send(
      new DescribeNetworkInterfacesCommand({ NetworkInterfaceIds: [details.networkInterfaceId as string] }),
    );
    expect(NetworkInterfaces).toMatchObject([
      {
        Association: { PublicIp: '127.9.0.1' },
        PrivateIpAddress: details.privateIPv4Address,
        Groups: [{ GroupId: local.outputs.SecurityGroups }],
        Description: expect.stringMatching(/^arn:aws:ecs:us-east-1:000000000000:attachment\//) as string,
      },
    ]);
    expect(local.runtime.tasks.get(idOf(task))?.spec).toMatchObject({
      environment: { NAME: 'one', FROM_DEFINITION: 'yes' },
      image: { reference: '/nowhere/image' },
      cpu: 1024,
      memory: 4096,
      initProcess: true,
      containerName: 'agent',
    });
  });

  it('shows its address before the container runs', async () => {
    local.control.delays.set({ pending: 60_000 });
    const task = await reach(await run(), 'PENDING');
    expect(task.attachments?.[0]?.details?.map(({ name }) => name)).toContain('networkInterfaceId');
    expect(local.runtime.tasks.size).toBe(0);
  });

  it('is found by startedBy, and by tags put on later', async () => {
    const task = await reach(await run(), 'RUNNING');
    await run({ startedBy: 'mngr/fargate/two' });
    const listed = await ecs.send(new ListTasksCommand({ cluster: 'mngr', startedBy: 'mngr/fargate/one' }));
    expect(listed.taskArns).toEqual([task.taskArn]);
    await ecs.send(new TagResourceCommand({ resourceArn: task.taskArn, tags: [{ key: 'ready', value: 'now' }] }));
    expect((await describeTask(task)).tags).toContainEqual({ key: 'ready', value: 'now' });
  });

  it('stops with the reason given, the exit code of its process, and no interface left', async () => {
    const task = await reach(await run(), 'RUNNING');
    const stopping = await ecs.send(new StopTaskCommand({ cluster: 'mngr', task: idOf(task), reason: 'enough' }));
    expect(stopping.task).toMatchObject({ desiredStatus: 'STOPPED', stopCode: 'UserInitiated' });
    const stopped = await reach(task, 'STOPPED');
    expect(stopped).toMatchObject({
      stoppedReason: 'enough',
      containers: [{ exitCode: 143, lastStatus: 'STOPPED' }],
      attachments: [{ status: 'DELETED' }],
    });
    expect(local.runtime.stops.get(idOf(task))).toBe(60);
    expect((await ec2.send(new DescribeNetworkInterfacesCommand({}))).NetworkInterfaces).toEqual([]);
    expect(local.runtime.reserved.size).toBe(0);
    await ecs.send(new StopTaskCommand({ cluster: 'mngr', task: idOf(task), reason: 'again' }));
    expect((await describeTask(task)).stoppedReason).toBe('enough');
  });

  it('ends when its process ends, with that exit code', async () => {
    const task = await reach(await run(), 'RUNNING');
    local.runtime.exit(idOf(task), 75);
    expect(await reach(task, 'STOPPED')).toMatchObject({
      stopCode: 'EssentialContainerExited',
      stoppedReason: 'Essential container in task exited',
      containers: [{ exitCode: 75 }],
    });
    expect((await ecs.send(new ListTasksCommand({ cluster: 'mngr' }))).taskArns).toEqual([]);
    const stopped = await ecs.send(new ListTasksCommand({ cluster: 'mngr', desiredStatus: 'STOPPED' }));
    expect(stopped.taskArns).toEqual([task.taskArn]);
    local.control.advanceClock(3601_000);
    const { failures } = await ecs.send(new DescribeTasksCommand({ cluster: 'mngr', tasks: [idOf(task)] }));
    expect(failures).toEqual([{ arn: task.taskArn, reason: 'MISSING' }]);
  });
});
