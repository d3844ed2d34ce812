import { DescribeTaskDefinitionCommand, DescribeTasksCommand, ListTasksCommand } from '@aws-sdk/client-ecs';
import type { Task } from '@aws-sdk/client-ecs';
import { CliHome } from '../support/cli/cli-program';
import { runInTerminal } from '../support/cli/cli-terminal';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { until } from '../support/run/eventually';
import { describeWith } from '../support/run/requirements';

describeWith(processTasks, 'shell', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;

  beforeAll(async () => {
    local = await ExecEndpoint.start();
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
    await local.createService();
  });
  afterAll(async () => {
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const shell = (words: readonly string[]): string[] => ['shell', '--cluster', 'mngr', ...words];
  const taskIn = (text: string): string => /arn:aws:ecs:\S+:task\/[\w/-]+/.exec(text)?.[0] ?? '';
  const stopped = (taskArn: string): Promise<Task> =>
    until(async () => {
      const task = await local.describe(taskArn);
      return task.lastStatus === 'STOPPED' && task;
    });

  it("runs one command in a new task, and exits with the command's code", async () => {
    const script = 'echo "$FROM_DEFINITION $MORE"; cat /proc/*/comm | grep -c ssm-session-wor; exit 3';
    const words = ['--service', 'web', '--env', 'MORE=much', '--cpu', '512', '--memory', '1024'];
    const { exitCode, stdout, stderr } = await home.run(shell([...words, '--', 'sh', '-c', script]));
    expect({ exitCode, stdout }).toEqual({ exitCode: 3, stdout: 'yes much\n1\n' });
    const task = await stopped(taskIn(stderr));
    expect(task).toMatchObject({ cpu: '512', memory: '1024', group: 'family:mngr-task-shell' });
    expect(task.startedBy).toBe('mngr-fargate/shell');
    expect(task.stoppedReason).toContain('the shell was left');
    const { taskDefinition } = await local.ecs.send(
      new DescribeTaskDefinitionCommand({ taskDefinition: task.taskDefinitionArn }),
    );
    expect(taskDefinition?.status).toBe('INACTIVE');
  });

  it('opens a shell in a task that ends by itself when it is left', async () => {
    const { output, exitCode } = await runInTerminal(home, shell(['--family', 'mngr-task']), [
      // Once the watcher has seen the session, its next looks find whether it has gone.
      { expect: '[#$] ', send: 'echo "<$((6 * 7))>"; sleep 3\r' },
      { expect: '<42>', send: 'exit\r' },
    ]);
    expect(exitCode).toBe(0);
    const task = await stopped(taskIn(output));
    expect(task).toMatchObject({ stopCode: 'EssentialContainerExited', containers: [{ exitCode: 0 }] });
  });

  it('runs another image in the same place', async () => {
    const image = 'repository/with-tools:abc123';
    const { exitCode, stderr } = await home.run(shell(['--service', 'web', '--image', image, '--', 'true']));
    expect(exitCode).toBe(0);
    const { taskDefinitionArn: taskDefinition } = await local.describe(taskIn(stderr));
    const described = await local.ecs.send(new DescribeTaskDefinitionCommand({ taskDefinition }));
    expect(described.taskDefinition?.containerDefinitions?.map((one) => one.image)).toEqual([image]);
  });

  it('leaves a task that is to be kept', async () => {
    const words = ['--service', 'web', '--keep', '--max-lifetime', '1h', '--', 'true'];
    const { exitCode, stderr } = await home.run(shell(words));
    expect(exitCode).toBe(0);
    expect(stderr).toContain('mngr-fargate connect --task');
    const kept = taskIn(stderr);
    const { tasks = [] } = await local.ecs.send(
      new DescribeTasksCommand({ cluster: 'mngr', tasks: [kept], include: ['TAGS'] }),
    );
    expect(tasks[0]).toMatchObject({
      lastStatus: 'RUNNING',
      desiredStatus: 'RUNNING',
      tags: [
        { key: 'mngr-shell-owner', value: expect.stringMatching(/^\S+@\S+$/) as string },
        { key: 'mngr-shell-max-lifetime', value: '3600' },
      ],
    });
  });

  it('refuses what it cannot start, and starts nothing', async () => {
    const before = await local.ecs.send(new ListTasksCommand({ cluster: 'mngr' }));
    const refused = async (words: readonly string[], exitCode: number, text: string): Promise<void> => {
      const result = await home.run(shell([...words, '--', 'true']));
      expect(result.exitCode).toBe(exitCode);
      expect(result.stderr).toContain(text);
    };
    await refused(['--service', 'wob'], 3, 'no service wob');
    await refused(['--family', 'other'], 3, 'no service of family other');
    await refused([], 2, 'shell starts a new task');
    await refused(['--service', 'web', '--image', 'two words'], 2, '--image takes an image');
    await refused(['fox'], 2, 'is the name of a host');
    await refused(['--service', 'web', '--memory', '512'], 2, 'memory 512 MiB does not go with cpu 1024');
    await refused(['--service', 'web', '--container', 'db'], 3, 'no container db');
    const terminal = await home.run(shell(['--service', 'web']));
    expect(terminal).toMatchObject({ exitCode: 2, stderr: expect.stringContaining('needs a terminal') as string });
    expect((await local.ecs.send(new ListTasksCommand({ cluster: 'mngr' }))).taskArns).toEqual(before.taskArns);
  });
});
