import { ECSClient, ListTasksCommand, StopTaskCommand } from '@aws-sdk/client-ecs';
import { EcsClient, LAUNCHER_SHARE } from '../../lib/aws/ecs-client';
import type { Fault } from '../../lib/local/control/faults';
import { denied } from '../support/endpoint/denied';
import { startHostsApi } from '../support/host/hosts-api';
import type { HostsApi } from '../support/host/hosts-api';

/** Buckets of one call that never fill up again. */
const ONE_CALL = { burst: 0.01, perSecond: 1e-7 };

describe('the ECS client', () => {
  let api: HostsApi;
  let sdk: { readonly ecs: ECSClient };

  beforeAll(async () => {
    api = await startHostsApi();
    sdk = { ecs: new ECSClient({ ...api.local.client, maxAttempts: 1 }) };
  });
  afterAll(async () => {
    sdk.ecs.destroy();
    await api.close();
  });
  beforeEach(() => api.local.control.callLog.reset());
  afterEach(() => api.local.control.reset());

  const list = () => new ListTasksCommand({ cluster: 'mngr' });

  test('repeats a throttled call until AWS takes it', async () => {
    api.local.control.faults.set([{ ...denied('ecs:ListTasks', 2), code: 'ThrottlingException' } as Fault]);
    const client = new EcsClient(sdk, LAUNCHER_SHARE);
    await expect(client.send(list(), 'list tasks')).resolves.toMatchObject({ taskArns: [] });
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 3 });
  });

  test('gives errors of AWS in our terms, with the error of the SDK as their cause', async () => {
    api.local.control.faults.set([denied('ecs:ListTasks')]);
    const client = new EcsClient(sdk, LAUNCHER_SHARE);
    await expect(client.send(list(), 'list the tasks')).rejects.toMatchObject({
      code: 'denied',
      message: expect.stringMatching(/^cannot list the tasks: /),
      details: { awsError: 'AccessDeniedException' },
      cause: { name: 'AccessDeniedException' },
    });
  });

  test('makes a call wait for its bucket alone, and gives up waiting when the signal fires', async () => {
    const client = new EcsClient(sdk, ONE_CALL);
    await client.send(list(), 'list tasks');
    const controller = new AbortController();
    const second = client.send(list(), 'list tasks', { signal: controller.signal });
    const stop = new StopTaskCommand({ cluster: 'mngr', task: '0'.repeat(32) });
    await expect(client.send(stop, 'stop a task')).rejects.toMatchObject({
      message: expect.stringContaining('not found'),
    });
    controller.abort(new Error('enough'));
    await expect(second).rejects.toMatchObject({ code: 'aborted', cause: new Error('enough') });
    expect(api.calls()).toEqual({ 'ecs:ListTasks': 1, 'ecs:StopTask': 1 });
  });

  test('a call that reports when it is sent is no longer aborted from then on', async () => {
    const client = new EcsClient(sdk, LAUNCHER_SHARE);
    const controller = new AbortController();
    const onSend = () => controller.abort();
    await expect(client.send(list(), 'list tasks', { signal: controller.signal, onSend })).resolves.toMatchObject({
      taskArns: [],
    });
  });
});
