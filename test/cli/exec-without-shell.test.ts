import { PassThrough } from 'node:stream';
import { DescribeTasksCommand, ECSClient, RunTaskCommand } from '@aws-sdk/client-ecs';
import { CommandNotStartedError } from '../../lib/local/runtimes/runtime';
import type { ExecRequest, TaskProcess } from '../../lib/local/runtimes/runtime';
import { CliHome } from '../support/cli/cli-program';
import { execAssembly } from '../support/endpoint/exec-endpoint';
import { FakeRuntime } from '../support/endpoint/fake-runtime';
import { startLocalEndpoint } from '../support/endpoint/local-endpoint';
import type { LocalEndpoint } from '../support/endpoint/local-endpoint';
import { until } from '../support/run/eventually';

/** Containers with one program, and without a shell. */
class ShelllessRuntime extends FakeRuntime {
  override exec(_taskId: string, { argv }: ExecRequest): Promise<TaskProcess> {
    const [program = '', ...words] = argv;
    if (program !== '/program') {
      return Promise.reject(new CommandNotStartedError(program, 'executable file not found in $PATH'));
    }
    return Promise.resolve({
      stdin: new PassThrough().resume(),
      stdout: new PassThrough().end(`run with ${words.join(' ')}\r\n`),
      stderr: undefined,
      exitCode: Promise.resolve(3),
      resize: () => Promise.resolve(),
      kill: () => Promise.resolve(),
    });
  }
}

describe('exec in a container without a shell', () => {
  let local: LocalEndpoint<ShelllessRuntime>;
  let bare: CliHome;
  let home: CliHome;
  let taskArn: string;

  beforeAll(async () => {
    const { TaskRole } = execAssembly().template.Resources;
    local = await startLocalEndpoint({ runtime: new ShelllessRuntime(), resources: { TaskRole: TaskRole! } });
    bare = new CliHome();
    home = bare.with(local.env);
    const ecs = new ECSClient(local.client);
    const awsvpcConfiguration = { subnets: local.outputs.Subnets?.split(',') };
    const { tasks = [] } = await ecs.send(
      new RunTaskCommand({
        cluster: 'mngr',
        taskDefinition: 'mngr-task',
        launchType: 'FARGATE',
        enableExecuteCommand: true,
        networkConfiguration: { awsvpcConfiguration },
      }),
    );
    taskArn = tasks[0]?.taskArn ?? '';
    await until(async () => {
      const answer = await ecs.send(new DescribeTasksCommand({ cluster: 'mngr', tasks: [taskArn] }));
      return answer.tasks?.[0]?.containers?.[0]?.managedAgents?.[0]?.lastStatus === 'RUNNING';
    });
    ecs.destroy();
  });
  afterAll(async () => {
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const exec = (...words: string[]) => home.run(['exec', '--task', taskArn, ...words]);

  it.each([[], ['--tty']])('runs the program directly, and exits with 125 %j', async (...options) => {
    const { exitCode, stdout, stderr } = await exec(...options, '--', '/program', 'a word');
    expect({ exitCode, stdout: stdout.replaceAll('\r', '') }).toEqual({ exitCode: 125, stdout: 'run with a word\n' });
    expect(stderr).toContain("container agent has no sh, so the command's exit code is unknown");
  });

  it('has no exit code in its JSON', async () => {
    const { exitCode, stdout } = await exec('--json', '--', '/program');
    expect(exitCode).toBe(125);
    expect(JSON.parse(stdout)).toMatchObject({ exitCode: null, signal: null });
  });

  it('refuses what only a shell can do', async () => {
    for (const options of [
      ['--env', 'A=b'],
      ['--workdir', '/tmp'],
      ['--timeout', '9s'],
      ['--tty', '--timeout', '9s'],
    ]) {
      const { exitCode, stderr } = await exec(...options, '--', '/program');
      expect(exitCode).toBe(1);
      expect(stderr).toContain('container agent has no sh, so nothing was run');
    }
  });

  it('says that a program is missing', async () => {
    const { exitCode, stderr } = await exec('--', 'missing');
    expect(exitCode).toBe(1);
    expect(stderr).toContain('executable file not found');
  });
});
