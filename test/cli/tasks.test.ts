import { readFileSync } from 'node:fs';
import { StopTaskCommand } from '@aws-sdk/client-ecs';
import type { ECSClient } from '@aws-sdk/client-ecs';
import type { TaskSummary } from '../../lib/tasks';
import { CliHome } from '../support/cli/cli-program';
import type { FakeRuntime } from '../support/endpoint/fake-runtime';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import { TemplateTasks } from '../support/tasks/template-tasks';

let world: TemplateTasks;
let local: LocalEndpoint<FakeRuntime>;
let bare: CliHome;
let home: CliHome;
let ecs: ECSClient;
let cluster: string;
let family: string;
let taskArn: string;

beforeAll(async () => {
  world = await TemplateTasks.start();
  ({ local, ecs, cluster, family } = world);
  bare = new CliHome();
  home = bare.with(local.env);
  taskArn = await run();
});
afterAll(async () => {
  bare.remove();
  await world.close();
});

const run = async (): Promise<string> => (await world.run()).taskArn ?? '';

test('tasks: JSON for programs, a table for people', async () => {
  await expect(home.json<TaskSummary[]>(['tasks', '--cluster', cluster])).resolves.toEqual([
    expect.objectContaining({
      taskArn,
      cluster,
      service: null,
      family,
      revision: expect.any(Number) as number,
      state: expect.any(String) as string,
      containers: [expect.objectContaining({ name: 'agent' })],
      stoppedReason: null,
    }),
  ]);
  const { stdout } = await home.run(['tasks', '--cluster', cluster, '--family', family]);
  expect(stdout).toMatch(/^TASK +SERVICE +REVISION +STATE +AGE +CONTAINERS +ZONE +ADDRESS\n[0-9a-f]{32} +- +/);
});

test('tasks --stopped says why', async () => {
  const stopped = await run();
  await ecs.send(new StopTaskCommand({ cluster, task: stopped, reason: 'enough of it' }));
  const found = await home.json<TaskSummary[]>(['tasks', '--cluster', cluster, '--stopped']);
  expect(found.find((task) => task.taskArn === stopped)).toMatchObject({ stoppedReason: 'enough of it' });
  const table = await home.run(['tasks', '--cluster', cluster, '--stopped']);
  expect(table.stdout).toContain('enough of it');
});

test('tasks of a cluster that is not there', async () => {
  const { exitCode, stderr } = await home.run(['tasks', '--cluster', 'nowhere']);
  expect(exitCode).toBe(3);
  expect(stderr).toContain('cluster nowhere does not exist');
});

test('targets are set, listed and removed', async () => {
  const set = ['targets', 'set', '@web', '--cluster', cluster, '--service', 'web', '--container', 'nginx'];
  const view = { name: 'web', cluster, service: 'web', family: null, task: null, container: 'nginx', region: null };
  await expect(home.json(set)).resolves.toEqual(view);
  await expect(home.json(['targets', 'list'])).resolves.toEqual([view]);
  const config = readFileSync(home.path('home', '.mngr', 'config.toml'), 'utf8');
  expect(config).toContain(`[targets.web]\ncluster = "${cluster}"\nservice = "web"\ncontainer = "nginx"\n`);
  await expect(home.json(['targets', 'remove', 'web'])).resolves.toEqual({ removed: 'web' });
  await expect(home.json(['targets', 'list'])).resolves.toEqual([]);
  expect((await home.run(['targets', 'remove', 'web'])).exitCode).toBe(3);
});

test('targets set without a cluster', async () => {
  const { exitCode, stderr } = await home.run(['targets', 'set', 'web', '--service', 'web']);
  expect({ exitCode, stderr }).toEqual({ exitCode: 2, stderr: expect.stringContaining('--cluster') as string });
});

test('doctor says what is wrong, how to fix it and what it could not see, and exits with 1', async () => {
  const { exitCode, stdout } = await home.run(['doctor', '--task', taskArn, '--json']);
  expect(exitCode).toBe(1);
  expect(JSON.parse(stdout)).toEqual({
    target: expect.objectContaining({ taskArn, cluster, family, container: 'agent' }) as object,
    findings: expect.arrayContaining([
      expect.objectContaining({ id: 'exec-disabled', severity: 'error', evidence: { enableExecuteCommand: false } }),
    ]) as unknown[],
    unchecked: expect.any(Array) as unknown[],
  });
  const table = await home.run(['doctor', '--task', taskArn]);
  expect(table.stdout).toMatch(/^container agent of task .*: \d+ errors? found\nerror /);
});

test('logs of a task', async () => {
  local.runtime.logLines = ['one', 'two'];
  const { stdout, exitCode } = await home.run(['logs', '--task', taskArn, '--json', '--tail', '1']);
  expect(exitCode).toBe(0);
  expect(JSON.parse(stdout)).toEqual({
    timestamp: expect.stringMatching(/^\d{4}-/) as string,
    message: 'two',
    task: taskArn.split('/').pop(),
    container: 'agent',
  });
});
