import { createConnection } from 'node:net';
import {
  DescribeTasksCommand,
  ECSClient,
  ListTasksCommand,
  RunTaskCommand,
  StopTaskCommand,
} from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { BOOT_ENVIRONMENT } from '../../../lib/contract/boot-variables';
import type { FakeRuntime } from '../../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../../support/endpoint/local-endpoint';
import { eventually } from '../../support/run/eventually';

describe('on request', () => {
  let local: LocalEndpoint<FakeRuntime>;
  let ecs: ECSClient;

  beforeEach(async () => {
    local = await startLocalEndpoint();
    ecs = new ECSClient({ ...local.client, maxAttempts: 1 });
  });

  afterEach(async () => {
    ecs.destroy();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  /** The control API, over HTTP as anybody's test would use it. */
  const control = async (method: string, path: string, body?: unknown): Promise<Record<string, unknown>> => {
    const response = await fetch(`${local.endpoint}/_control/${path}`, {
      method,
      headers: { authorization: `Bearer ${local.controlToken}` },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    expect({ path, status: response.status }).toEqual({ path, status: 200 });
    return (await response.json()) as Record<string, unknown>;
  };

  const run = async (environment: { name: string; value: string }[] = []): Promise<Task> => {
    const { tasks } = await ecs.send(
      new RunTaskCommand({
        cluster: 'mngr',
        taskDefinition: 'mngr-task',
        launchType: 'FARGATE',
        networkConfiguration: {
          awsvpcConfiguration: { subnets: local.outputs.Subnets?.split(','), assignPublicIp: 'ENABLED' },
        },
        overrides: { containerOverrides: [{ name: 'agent', environment }] },
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

  it('a task stops while it is PENDING', async () => {
    await control('PUT', 'faults', [{ kind: 'stop-while-pending', times: 1, reason: 'Timeout waiting for network' }]);
    expect(await reach(await run(), 'STOPPED')).toMatchObject({
      stopCode: 'TaskFailedToStart',
      stoppedReason: 'Timeout waiting for network',
    });
    await reach(await run(), 'RUNNING');
  });

  it('an image cannot be pulled', async () => {
    await control('PUT', 'faults', [{ kind: 'image-pull' }]);
    const task = await reach(await run(), 'STOPPED');
    expect(task.stopCode).toBe('TaskFailedToStart');
    expect(task.stoppedReason).toMatch(/^CannotPullContainerError/);
    expect(task.containers?.[0]?.reason).toBe(task.stoppedReason);
    expect(task.containers?.[0]?.exitCode).toBeUndefined();
    expect(local.runtime.tasks.size).toBe(0);
  });

  it('a task dies while it runs', async () => {
    await control('PUT', 'faults', [{ kind: 'dies', afterMilliseconds: 50 }]);
    expect(await reach(await run(), 'STOPPED')).toMatchObject({
      stopCode: 'EssentialContainerExited',
      containers: [{ exitCode: 137 }],
    });
  });

  it('nothing answers at the address of a RUNNING task, which still stops', async () => {
    await control('PUT', 'faults', [{ kind: 'no-sshd' }]);
    const task = await reach(await run(), 'RUNNING');
    expect(local.runtime.tasks.size).toBe(0);
    await ecs.send(new StopTaskCommand({ cluster: 'mngr', task: task.taskArn }));
    await reach(task, 'STOPPED');
  });

  it('the port of sshd is known as soon as its address is, before the container runs', async () => {
    local.runtime.port = 42_223;
    await control('PUT', 'delays', { pull: 60_000 });
    const task = await reach(await run(), 'PENDING');
    expect(task.containers?.[0]?.networkBindings).toEqual([
      expect.objectContaining({ containerPort: 22, hostPort: 42_223 }),
    ]);
  });

  it("somebody else's SSH server answers at the address", async () => {
    local.runtime.port = 42_222;
    await control('PUT', 'faults', [{ kind: 'intruder' }]);
    const task = await reach(await run(), 'RUNNING');
    const [binding] = task.containers?.[0]?.networkBindings ?? [];
    expect(binding).toMatchObject({ containerPort: 22, hostPort: 42_222, protocol: 'tcp' });
    const greeting = await new Promise<string>((resolve, reject) => {
      const socket = createConnection({ host: binding?.bindIP, port: binding?.hostPort ?? 0 });
      socket.once('data', (data) => {
        resolve(data.toString());
        socket.destroy();
      });
      socket.once('error', reject);
    });
    expect(greeting).toMatch(/^SSH-2\.0-/);
    expect(local.runtime.tasks.size).toBe(0);
  });

  it('the container is given another nonce than the launcher has', async () => {
    await control('PUT', 'faults', [{ kind: 'wrong-proof' }]);
    const nonce = 'a'.repeat(64);
    const task = await reach(await run([{ name: BOOT_ENVIRONMENT.bootNonce, value: nonce }]), 'RUNNING');
    const spec = local.runtime.tasks.get(task.taskArn?.split('/').at(-1) ?? '')?.spec;
    expect(spec?.environment[BOOT_ENVIRONMENT.bootNonce]).toMatch(/^[0-9a-f]{64}$/);
    expect(spec?.environment[BOOT_ENVIRONMENT.bootNonce]).not.toBe(nonce);
  });

  it('a call is answered with an error, before or after it took effect', async () => {
    const error = { kind: 'error', operation: 'ecs:RunTask', code: 'ServerException', status: 500, times: 1 };
    await control('PUT', 'faults', [error]);
    await expect(run()).rejects.toMatchObject({ name: 'ServerException' });
    const list = async (): Promise<number | undefined> =>
      (await ecs.send(new ListTasksCommand({ cluster: 'mngr' }))).taskArns?.length;
    expect(await list()).toBe(0);
    await control('PUT', 'faults', [{ ...error, afterwards: true }]);
    await expect(run()).rejects.toMatchObject({ name: 'ServerException' });
    expect(await list()).toBe(1);
  });

  it('calls beyond the published rate are throttled in a way that SDKs know', async () => {
    await control('PUT', 'throttling', { enabled: true, scale: 0.05 });
    await run();
    await expect(run()).rejects.toMatchObject({ name: 'ThrottlingException', message: 'Rate exceeded' });
    await control('PUT', 'throttling', { enabled: false });
    await run();
    const { operations } = await control('GET', 'calls');
    expect(operations).toMatchObject({ 'ecs:RunTask': { count: 3, errors: { ThrottlingException: 1 } } });
    await control('DELETE', 'calls');
    expect((await control('GET', 'calls')).operations).toEqual({});
  });

  it('a new task shows late', async () => {
    await control('PUT', 'consistency', { listTasks: 60_000, describeTasks: 60_000 });
    const task = await run();
    expect((await ecs.send(new ListTasksCommand({ cluster: 'mngr' }))).taskArns).toEqual([]);
    const described = new DescribeTasksCommand({ cluster: 'mngr', tasks: [task.taskArn ?? ''] });
    expect((await ecs.send(described)).failures).toEqual([{ arn: task.taskArn, reason: 'MISSING' }]);
    await control('POST', 'clock', { advanceMilliseconds: 60_000 });
    expect((await ecs.send(new ListTasksCommand({ cluster: 'mngr' }))).taskArns).toEqual([task.taskArn]);
  });

  it('states take as long as they are told to', async () => {
    await control('PUT', 'delays', { provisioning: [60_000, 0], pull: { min: 0, max: 1 } });
    const slow = await run();
    await reach(await run(), 'RUNNING');
    await reach(slow, 'PROVISIONING');
    await ecs.send(new StopTaskCommand({ cluster: 'mngr', task: slow.taskArn }));
    expect((await reach(slow, 'STOPPED')).startedAt).toBeUndefined();
  });

  it('Spot takes a task back', async () => {
    const task = await reach(await run(), 'RUNNING');
    await control('POST', `tasks/${task.taskArn?.split('/').at(-1)}/interrupt`);
    expect(await reach(task, 'STOPPED')).toMatchObject({ stopCode: 'SpotInterruption' });
  });

  it('ten thousand tasks are there to be listed, and gone again', async () => {
    await control('POST', 'tasks/seed', { count: 10_000, tags: { 'mngr-host-name': 'seed-{n}' } });
    let pages = 0;
    let count = 0;
    let nextToken: string | undefined;
    do {
      const page: { taskArns?: string[]; nextToken?: string } = await ecs.send(
        new ListTasksCommand({ cluster: 'mngr', nextToken }),
      );
      count += page.taskArns?.length ?? 0;
      pages += 1;
      ({ nextToken } = page);
    } while (nextToken !== undefined);
    expect({ pages, count }).toEqual({ pages: 100, count: 10_000 });
    const one = await ecs.send(new ListTasksCommand({ cluster: 'mngr', startedBy: 'mngr/fargate/seed-77' }));
    const { tasks } = await ecs.send(
      new DescribeTasksCommand({ cluster: 'mngr', tasks: one.taskArns, include: ['TAGS'] }),
    );
    expect(tasks?.[0]?.tags).toEqual([{ key: 'mngr-host-name', value: 'seed-77' }]);
    expect(await control('DELETE', 'tasks/seed')).toEqual({ removed: 10_000 });
  });

  it('nobody without the token may do any of it', async () => {
    const response = await fetch(`${local.endpoint}/_control/status`, { headers: { authorization: 'Bearer guess' } });
    expect(response.status).toBe(401);
    const wrong = await fetch(`${local.endpoint}/_control/delays`, {
      method: 'PUT',
      headers: { authorization: `Bearer ${local.controlToken}` },
      body: JSON.stringify({ provisionning: 1 }),
    });
    expect(wrong.status).toBe(400);
    expect(await wrong.text()).toContain('provisionning');
  });
});
