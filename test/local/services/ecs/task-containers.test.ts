import {
  DescribeTasksCommand,
  ECSClient,
  RegisterTaskDefinitionCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import type { Container, ContainerDefinition, Task } from '@aws-sdk/client-ecs';
import { startLocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../../support/endpoint/local-endpoint';
import type { FakeRuntime } from '../../../support/endpoint/fake-runtime';
import { eventually } from '../../../support/run/eventually';

describe('a task with several containers', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  beforeEach(async () => {
    local = await startLocalEndpoint();
    ecs = new ECSClient(local.client);
  });

  afterEach(async () => {
    ecs.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const register = (containerDefinitions: ContainerDefinition[]) =>
    ecs.send(
      new RegisterTaskDefinitionCommand({
        family: 'several',
        networkMode: 'awsvpc',
        requiresCompatibilities: ['FARGATE'],
        cpu: '256',
        memory: '512',
        containerDefinitions,
      }),
    );

  const run = async (containers: ContainerDefinition[], overrides: object = {}): Promise<Task> => {
    await register(containers);
    const { tasks } = await ecs.send(
      new RunTaskCommand({
        cluster: 'mngr',
        taskDefinition: 'several',
        launchType: 'FARGATE',
        networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
        ...overrides,
      }),
    );
    return tasks?.[0] as Task;
  };

  const describeTask = async ({ taskArn = '' }: Task): Promise<Task> => {
    const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: 'mngr', tasks: [taskArn] }));
    return tasks?.[0] as Task;
  };

  const reach = (task: Task, state: object): Promise<Task> =>
    eventually(async () => {
      const described = await describeTask(task);
      expect(described).toMatchObject(state);
      return described;
    });

  const container = (name: string, change: Partial<ContainerDefinition> = {}): ContainerDefinition => ({
    name,
    image: `${name}:1`,
    ...change,
  });

  /** Under which the runtime knows a container. */
  const idOf = ({ taskArn = '' }: Task, index: number): string => {
    const id = taskArn.split('/').at(-1) ?? '';
    return index === 0 ? id : `${index}-${id}`;
  };

  const states = (task: Task): Container['lastStatus'][] => (task.containers ?? []).map(({ lastStatus }) => lastStatus);

  it('runs them in one network, each with its own settings, overrides and runtime id', async () => {
    const task = await run([container('web', { cpu: 128, memory: 256 }), container('proxy', { command: ['proxy'] })], {
      overrides: {
        containerOverrides: [{ name: 'proxy', command: ['other'], environment: [{ name: 'A', value: 'b' }] }],
      },
    });
    const running = await reach(task, { lastStatus: 'RUNNING' });
    const [web, proxy] = [0, 1].map((index) => local.runtime.tasks.get(idOf(task, index))?.spec);
    expect(web).toMatchObject({ containerName: 'web', cpu: 128, memory: 256, network: idOf(task, 0) });
    expect(proxy).toMatchObject({
      containerName: 'proxy',
      command: ['other'],
      environment: { A: 'b' },
      cpu: 256,
      network: idOf(task, 0),
      address: web?.address,
    });
    const runtimeIds = running.containers?.map(({ runtimeId }) => runtimeId);
    expect(new Set(runtimeIds).size).toBe(2);
  });

  it('starts one after what it depends on, in the order of the conditions', async () => {
    const task = await run([
      container('web', { dependsOn: [{ containerName: 'migrate', condition: 'SUCCESS' }] }),
      container('migrate', { essential: false, dependsOn: [{ containerName: 'database', condition: 'START' }] }),
      container('database', { essential: false }),
    ]);
    await eventually(() => {
      expect(local.runtime.tasks.has(idOf(task, 1))).toBe(true);
      return Promise.resolve();
    });
    expect([...local.runtime.tasks.keys()]).toEqual([idOf(task, 2), idOf(task, 1)]);
    expect(await describeTask(task)).toMatchObject({ lastStatus: 'PENDING' });
    local.runtime.exit(idOf(task, 1), 0);
    const running = await reach(task, { lastStatus: 'RUNNING' });
    expect(states(running)).toEqual(['RUNNING', 'STOPPED', 'RUNNING']);
    expect(running.containers?.[1]?.exitCode).toBe(0);
  });

  it('fails to start when one ends badly that had to succeed', async () => {
    const task = await run([
      container('web', { dependsOn: [{ containerName: 'migrate', condition: 'SUCCESS' }] }),
      container('migrate', { essential: false }),
    ]);
    await eventually(() => {
      expect(local.runtime.tasks.has(idOf(task, 1))).toBe(true);
      return Promise.resolve();
    });
    local.runtime.exit(idOf(task, 1), 3);
    const stopped = await reach(task, { lastStatus: 'STOPPED', stopCode: 'TaskFailedToStart' });
    expect(stopped.containers?.[0]).toMatchObject({
      reason: expect.stringMatching(/migrate.*exited with 3/) as string,
    });
    expect(stopped.containers?.[0]?.exitCode).toBeUndefined();
    expect(stopped.containers?.[1]).toMatchObject({ exitCode: 3 });
    expect(local.runtime.tasks.has(idOf(task, 0))).toBe(false);
  });

  it('goes on without one that is not essential, and ends with one that is', async () => {
    const task = await run([container('web'), container('sidecar', { essential: false, stopTimeout: 7 })]);
    const other = await run([container('web'), container('sidecar', { essential: false, stopTimeout: 7 })]);
    await reach(task, { lastStatus: 'RUNNING' });
    await reach(other, { lastStatus: 'RUNNING' });
    local.runtime.exit(idOf(task, 1), 1);
    await eventually(async () => expect(states(await describeTask(task))).toEqual(['RUNNING', 'STOPPED']));
    expect(await describeTask(task)).toMatchObject({ lastStatus: 'RUNNING', desiredStatus: 'RUNNING' });
    local.runtime.exit(idOf(other, 0), 4);
    const stopped = await reach(other, { lastStatus: 'STOPPED', stopCode: 'EssentialContainerExited' });
    expect(stopped.containers).toMatchObject([{ exitCode: 4 }, { exitCode: 143 }]);
    expect(local.runtime.stops.get(idOf(other, 1))).toBe(7);
  });

  it('stops what depends on another before that one, and starts nothing meanwhile', async () => {
    const task = await run([
      container('web', { dependsOn: [{ containerName: 'database', condition: 'START' }] }),
      container('database'),
      container('after', { essential: false, dependsOn: [{ containerName: 'job', condition: 'COMPLETE' }] }),
      container('job', { essential: false }),
    ]);
    await eventually(() => {
      expect(local.runtime.tasks.size).toBe(3);
      return Promise.resolve();
    });
    await ecs.send(new StopTaskCommand({ cluster: 'mngr', task: task.taskArn }));
    await reach(task, { lastStatus: 'STOPPED' });
    const order = [...local.runtime.stops.keys()];
    expect(order.indexOf(idOf(task, 0))).toBeLessThan(order.indexOf(idOf(task, 1)));
    expect(local.runtime.tasks.has(idOf(task, 2))).toBe(false);
  });

  it.each<[string, ContainerDefinition[]]>([
    ['a dependency that is not there', [container('a', { dependsOn: [{ containerName: 'b', condition: 'START' }] })]],
    [
      'a circle',
      [
        container('a', { dependsOn: [{ containerName: 'b', condition: 'START' }] }),
        container('b', { dependsOn: [{ containerName: 'a', condition: 'START' }] }),
      ],
    ],
    [
      'HEALTHY without a check',
      [container('a', { dependsOn: [{ containerName: 'b', condition: 'HEALTHY' }] }), container('b')],
    ],
    [
      'SUCCESS of an essential container',
      [container('a', { dependsOn: [{ containerName: 'b', condition: 'SUCCESS' }] }), container('b')],
    ],
    ['none that is essential', [container('a', { essential: false }), container('b', { essential: false })]],
  ])('is refused with %s', async (_, containers) => {
    await expect(register(containers)).rejects.toMatchObject({ name: 'ClientException' });
  });
});
