import { ListTasksCommand } from '@aws-sdk/client-ecs';
import { CLI_WORDS, CliHome } from '../support/cli/cli-program';
import { runOnTerminal, terminal } from '../support/cli/cli-terminal';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { until } from '../support/run/eventually';
import { ROOT } from '../support/run/paths';
import { describeWith } from '../support/run/requirements';
import { processesOf } from '../support/run/running';

const SIGNALS = [
  ['SIGINT', 130],
  ['SIGTERM', 143],
] as const;

describeWith([...processTasks, terminal], 'a signal at any moment', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;

  beforeAll(async () => {
    local = await ExecEndpoint.start();
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
  });
  afterAll(async () => {
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });
  afterEach(() => local.control('PUT', 'delays', {}));

  /** A sleep that no other process on this machine is. */
  const sleeps = (offset: number): string => String(2_000_000 + process.pid * 10 + offset);
  const ended = (seconds: string) => until(() => Promise.resolve(processesOf('sleep', seconds).length === 0));
  const begun = (seconds: string) => until(() => Promise.resolve(processesOf('sleep', seconds).length > 0));

  it.each(SIGNALS)('%s while a command runs ends it', async (signal, expected) => {
    const { taskArn = '' } = await local.runTask();
    const seconds = sleeps(expected % 2);
    const { exitCode } = await home.run(['exec', '--task', taskArn, '--', 'sleep', seconds], {
      onStart: async ({ kill }) => {
        await begun(seconds);
        kill(signal);
      },
    });
    expect(exitCode).toBe(expected);
    await ended(seconds);
  });

  it.each(SIGNALS)('%s while exec waits for the agent', async (signal, expected) => {
    await local.control('PUT', 'delays', { agent: 600_000 });
    const taskArn = await local.startTask();
    await local.control('DELETE', 'calls');
    const { exitCode, stdout } = await home.run(['exec', '--task', taskArn, '--', 'true'], {
      onStart: async ({ kill }) => {
        await until(async () => {
          const calls = (await local.control('GET', 'calls')) as Record<string, unknown>;
          return JSON.stringify(calls).includes('ecs:ExecuteCommand');
        });
        kill(signal);
      },
    });
    expect({ exitCode, stdout }).toEqual({ exitCode: expected, stdout: '' });
  });

  it('SIGTERM while a shell starts stops its task', async () => {
    await local.createService();
    await local.control('PUT', 'delays', { agent: 600_000 });
    const words = ['shell', '--cluster', 'mngr', '--service', 'web', '--', 'true'];
    const { exitCode } = await home.run(words, {
      onStart: async ({ kill, onStderr }) => {
        await onStderr(/started arn:/);
        kill('SIGTERM');
      },
    });
    expect(exitCode).toBe(143);
    const left = new ListTasksCommand({ cluster: 'mngr', family: 'mngr-task-shell', desiredStatus: 'RUNNING' });
    expect((await local.ecs.send(left)).taskArns).toEqual([]);
  });

  it.each(['exec', 'connect'])('SIGTERM on the terminal of %s leaves that as it was', async (command) => {
    const { taskArn = '' } = await local.runTask();
    const seconds = sleeps(2);
    const options = command === 'exec' ? ['--tty'] : [];
    const words = [...CLI_WORDS, command, ...options, '--task', taskArn, '--', 'sleep', seconds];
    const running = runOnTerminal({
      argv: ['/bin/sh', '-c', '"$@"; echo "<$?>"; stty -a', 'sh', process.execPath, ...words],
      env: home.env({ TERM: 'xterm-256color' }),
      cwd: ROOT,
      steps: [],
      seconds: 120,
    });
    await begun(seconds);
    const [pid] = processesOf(process.execPath, ...words);
    process.kill(pid ?? 0, 'SIGTERM');
    const { output } = await running;
    expect(output).toMatch(/<143>[^]* icanon[^]* echo /);
    await ended(seconds);
  });
});
