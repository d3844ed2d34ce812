import { StopTaskCommand } from '@aws-sdk/client-ecs';
import type { ECSClient, Task } from '@aws-sdk/client-ecs';
import { findTasks, resolveTarget } from '../../lib/tasks';
import type { EcsTasks, TaskSelector } from '../../lib/tasks';
import type { FakeRuntime } from '../support/endpoint/fake-runtime';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import { eventually } from '../support/run/eventually';
import { TemplateTasks } from '../support/tasks/template-tasks';

let world: TemplateTasks;
let local: LocalEndpoint<FakeRuntime>;
let ecs: ECSClient;
let tasks: EcsTasks;
let cluster: string;
let family: string;

beforeEach(async () => {
  world = await TemplateTasks.start();
  ({ local, ecs, tasks, cluster, family } = world);
});
afterEach(() => world.close());

/** Starts tasks one by one, so that each is newer than the one before. */
async function run(count: number): Promise<Task[]> {
  const started: Task[] = [];
  while (started.length < count) started.push(await world.run());
  return started;
}

const resolve = (selector: Partial<TaskSelector>, newest = false) =>
  resolveTarget(tasks, { cluster, ...selector }, { newest });

/** Until ECS says that a task runs. */
const running = (taskArn: string) =>
  eventually(async () => {
    const [found] = await findTasks(tasks, { cluster, task: taskArn });
    expect(found?.state).toBe('RUNNING');
    return found;
  });

test('a task by its id, the beginning of one, its ARN and its family', async () => {
  const [task] = await run(1);
  const taskArn = task?.taskArn ?? '';
  const id = taskArn.split('/').pop() ?? '';
  await running(taskArn);
  for (const selector of [{ task: id }, { task: id.slice(0, 7) }, { task: taskArn }, { family }, {}]) {
    await expect(resolve(selector)).resolves.toMatchObject({
      taskArn,
      taskId: id,
      region: local.region,
      family,
      service: null,
      container: 'agent',
      runtimeId: expect.any(String) as string,
      sessionTarget: expect.stringMatching(new RegExp(`^ecs:${cluster}_${id}_.+`)) as string,
      task: { state: 'RUNNING', desiredState: 'RUNNING' },
    });
  }
});

test('several tasks are refused with the candidates, and the newest is taken when it is asked for', async () => {
  const started = await run(3);
  const arns = started.map(({ taskArn }) => taskArn);
  await Promise.all(arns.map((arn) => running(arn ?? '')));
  await expect(resolve({ family })).rejects.toMatchObject({
    code: 'usage',
    message: `3 tasks match family ${family} in cluster ${cluster}`,
    details: { candidates: arns.toReversed().map((taskArn) => expect.objectContaining({ taskArn }) as object) },
  });
  await expect(resolve({ family }, true)).resolves.toMatchObject({ taskArn: arns[2] });
});

test('a chooser is asked with the newest first', async () => {
  const started = await run(2);
  await Promise.all(started.map(({ taskArn = '' }) => running(taskArn)));
  const chosen = await resolveTarget(
    tasks,
    { cluster },
    {
      choose: {
        task: (candidates) => Promise.resolve(candidates[1]!),
        container: () => Promise.reject(new Error('there is one container')),
      },
    },
  );
  expect(chosen.taskArn).toBe(started[0]?.taskArn);
});

test('more than a hundred tasks', async () => {
  await Promise.all(Array.from({ length: 12 }, () => run(9)));
  await expect(findTasks(tasks, { cluster, family })).resolves.toHaveLength(108);
});

test('a revision, a container and a family that are not there', async () => {
  const [task] = await run(1);
  await running(task?.taskArn ?? '');
  await expect(resolve({ family: `${family}:999` })).rejects.toMatchObject({ code: 'not-found' });
  await expect(resolve({ family: 'other' })).rejects.toMatchObject({ code: 'not-found' });
  await expect(resolve({ container: 'sidecar' })).rejects.toMatchObject({
    code: 'not-found',
    hint: 'its containers: agent',
  });
});

test('a cluster that is not there', async () => {
  await expect(resolve({ cluster: 'nowhere' })).rejects.toMatchObject({
    code: 'not-found',
    message: `cluster nowhere does not exist in ${local.region}`,
  });
});

test('a task that has stopped, with its reason', async () => {
  const [{ taskArn = '' } = {}] = await run(1);
  await running(taskArn);
  await ecs.send(new StopTaskCommand({ cluster, task: taskArn, reason: 'enough' }));
  for (const selector of [{ task: taskArn }, { family }]) {
    await eventually(async () => {
      await expect(resolve(selector)).rejects.toMatchObject({
        code: 'task-stopped',
        message: expect.stringContaining('enough') as string,
        details: { taskArn, stopCode: 'UserInitiated' },
      });
    });
  }
});
