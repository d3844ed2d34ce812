import { StopTaskCommand } from '@aws-sdk/client-ecs';
import type { ECSClient } from '@aws-sdk/client-ecs';
import { findTasks, taskLogs } from '../../../lib/tasks';
import type { EcsTasks, TaskLogLine, TaskLogOptions, TaskSelector } from '../../../lib/tasks';
import type { FakeRuntime } from '../../support/endpoint/fake-runtime';
import type { LocalEndpoint } from '../../support/endpoint/local-endpoint';
import { eventually } from '../../support/run/eventually';
import { TemplateTasks } from '../../support/tasks/template-tasks';

let world: TemplateTasks;
let local: LocalEndpoint<FakeRuntime>;
let ecs: ECSClient;
let tasks: EcsTasks;
let cluster: string;

beforeEach(async () => {
  world = await TemplateTasks.start();
  ({ local, ecs, tasks, cluster } = world);
});
afterEach(() => world.close());

/** A task that runs; its id. */
async function run(): Promise<string> {
  const id = (await world.run()).taskArn?.split('/').pop() ?? '';
  await eventually(async () => {
    expect(await findTasks(tasks, { cluster, task: id })).toMatchObject([{ state: 'RUNNING' }]);
  });
  return id;
}

async function read(options: TaskLogOptions = {}, selector: Partial<TaskSelector> = {}): Promise<TaskLogLine[]> {
  const lines: TaskLogLine[] = [];
  for await (const line of taskLogs(tasks, { cluster, ...selector }, options)) lines.push(line);
  return lines;
}

test('the lines of several tasks, in the order of time, each with its author', async () => {
  const ids = [await run(), await run()];
  local.runtime.logLines = ['one', 'two\n  of two lines'];
  const lines = await read();
  expect(lines).toHaveLength(4);
  expect(lines.map(({ timestamp }) => timestamp)).toEqual(lines.map(({ timestamp }) => timestamp).toSorted());
  for (const task of ids) {
    expect(lines.filter((line) => line.task === task)).toEqual(
      ['one', 'two\n  of two lines'].map((message) => ({
        timestamp: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        message,
        task,
        container: 'agent',
        service: null,
      })),
    );
  }
});

test('tail, filter, since and until', async () => {
  const task = await run();
  local.runtime.logLines = ['one', 'two ERROR', 'three'];
  const messages = async (options: TaskLogOptions): Promise<string[]> =>
    (await read(options, { task })).map(({ message }) => message);
  await expect(messages({ tail: 2 })).resolves.toEqual(['two ERROR', 'three']);
  await expect(messages({ tail: 0 })).resolves.toEqual([]);
  await expect(messages({ filter: 'ERROR' })).resolves.toEqual(['two ERROR']);
  await expect(messages({ filter: 'ERROR', tail: 5 })).resolves.toEqual(['two ERROR']);
  await expect(messages({ since: new Date(Date.now() + 60_000) })).resolves.toEqual([]);
  await expect(messages({ until: new Date(Date.now() - 3_600_000) })).resolves.toEqual([]);
  await expect(messages({ since: new Date(Date.now() - 3_600_000) })).resolves.toHaveLength(3);
});

test.each([[{}], [{ tail: 1 }]])('following with %j shows each line once, until the task ends', async (options) => {
  const task = await run();
  local.runtime.logLines = ['one'];
  const messages: string[] = [];
  for await (const { message } of taskLogs(tasks, { cluster, task }, { ...options, follow: true })) {
    messages.push(message);
    if (message === 'one') local.runtime.logLines.push('two', 'two');
    if (messages.length === 3) await ecs.send(new StopTaskCommand({ cluster, task }));
  }
  expect(messages).toEqual(['one', 'two', 'two']);
});

test('the previous task, and one that is not there', async () => {
  const [before, now] = [await run(), await run()];
  await ecs.send(new StopTaskCommand({ cluster, task: before }));
  local.runtime.logLines = ['last words'];
  await eventually(async () => {
    expect(await findTasks(tasks, { cluster, task: before })).toMatchObject([{ desiredState: 'STOPPED' }]);
  });
  expect((await read({ previous: true })).every(({ task }) => task === before)).toBe(true);
  expect((await read({ newest: true })).map(({ task }) => task)).toEqual([now]);
  await expect(read({}, { family: 'other' })).rejects.toMatchObject({ code: 'not-found' });
  await expect(read({}, { container: 'other' })).rejects.toMatchObject({ code: 'not-found' });
});
