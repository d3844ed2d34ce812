import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DescribeTasksCommand, ECSClient, RunTaskCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { CloudWatchLogsClient, FilterLogEventsCommand, GetLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { FakeRuntime } from '../../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../support/endpoint/local-endpoint';
import { eventually } from '../../support/run/eventually';

describe('an endpoint that is started again', () => {
  const runtime = new FakeRuntime();
  const stateDirectory = mkdtempSync(join(tmpdir(), 'mngr-fargate-restart-'));
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  const start = async (): Promise<void> => {
    local = await startLocalEndpoint({ runtime, stateDirectory });
    ecs = new ECSClient(local.client);
  };
  const stop = async (): Promise<void> => {
    ecs.destroy();
    await local.stop();
    expect(local.faults).toEqual([]);
  };

  beforeEach(start);
  afterEach(stop);
  afterAll(() => rmSync(stateDirectory, { recursive: true }));

  const run = async (clientToken = 'one'): Promise<Task> => {
    const { tasks } = await ecs.send(
      new RunTaskCommand({
        cluster: 'mngr',
        taskDefinition: 'mngr-task',
        launchType: 'FARGATE',
        clientToken,
        networkConfiguration: { awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(',') } },
      }),
    );
    return tasks?.[0] as Task;
  };
  const reach = (task: Task, status: string): Promise<Task> =>
    eventually(async () => {
      const { tasks } = await ecs.send(new DescribeTasksCommand({ cluster: 'mngr', tasks: [task.taskArn ?? ''] }));
      expect(tasks?.[0]?.lastStatus).toBe(status);
      return tasks?.[0] as Task;
    });
  const idOf = ({ taskArn = '' }: Task): string => taskArn.split('/').at(-1) ?? '';

  it('has the same keys and the same tasks, and notices what ended meanwhile', async () => {
    const { env, controlToken } = local;
    runtime.logLines = ['first line', 'second line'];
    const task = await reach(await run(), 'RUNNING');
    await stop();
    await start();
    expect({ ...local.env, AWS_ENDPOINT_URL: '' }).toEqual({ ...env, AWS_ENDPOINT_URL: '' });
    expect(local.controlToken).toBe(controlToken);
    await reach(task, 'RUNNING');
    expect((await run()).taskArn).toBe(task.taskArn);
    await stop();
    runtime.exit(idOf(task), 7);
    await start();
    expect(await reach(task, 'STOPPED')).toMatchObject({ containers: [{ exitCode: 7 }] });

    const logs = new CloudWatchLogsClient(local.client);
    const logGroupName = local.outputs.LogGroup as string;
    const stream = { logGroupName, logStreamName: `agent/agent/${idOf(task)}` };
    const events = await logs.send(new GetLogEventsCommand({ ...stream, startFromHead: true }));
    expect(events.events?.map(({ message }) => message)).toEqual(['first line', 'second line']);
    const more = await logs.send(new GetLogEventsCommand({ ...stream, nextToken: events.nextForwardToken }));
    expect(more.events).toEqual([]);
    expect(more.nextForwardToken).toBe(events.nextForwardToken);
    const filtered = await logs.send(new FilterLogEventsCommand({ logGroupName, filterPattern: 'second -first' }));
    expect(filtered.events?.map(({ message }) => message)).toEqual(['second line']);
    await expect(logs.send(new FilterLogEventsCommand({ logGroupName: 'none' }))).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
    });
    logs.destroy();
  });

  it('goes on stopping what was being stopped', async () => {
    local.control.delays.set({ deactivating: 60_000 });
    const task = await reach(await run('two'), 'RUNNING');
    await ecs.send(new StopTaskCommand({ cluster: 'mngr', task: task.taskArn, reason: 'before the restart' }));
    await stop();
    await start();
    expect(await reach(task, 'STOPPED')).toMatchObject({ stoppedReason: 'before the restart' });
  });
});
