import { randomBytes } from 'node:crypto';
import type { Task } from '@aws-sdk/client-ecs';
import { CliHome } from '../support/cli/cli-program';
import { runInTerminal } from '../support/cli/cli-terminal';
import { ExecEndpoint, processTasks } from '../support/endpoint/exec-endpoint';
import { describeWith } from '../support/run/requirements';

describeWith(processTasks, 'exec and connect in a task', () => {
  let local: ExecEndpoint;
  let bare: CliHome;
  let home: CliHome;
  let task: Task;

  beforeAll(async () => {
    local = await ExecEndpoint.start();
    bare = new CliHome();
    home = bare.with(local.endpoint.description.env);
    task = await local.runTask();
  });
  afterAll(async () => {
    bare.remove();
    await local.destroy();
    expect(local.faults).toEqual([]);
  });

  const exec = (words: readonly string[]): string[] => ['exec', '--task', task.taskArn ?? '', ...words];
  const script = (text: string): string[] => ['--', 'sh', '-c', text];

  it("exits with the command's own code, and keeps its outputs apart", async () => {
    const result = await home.run(exec(script('echo out; echo err >&2; exit 3')));
    expect(result).toMatchObject({ exitCode: 3, stdout: 'out\n', stderr: 'err\n' });
  });

  it('prints one document with --json, with base64 beside what is no text', async () => {
    const { stdout, exitCode } = await home.run(exec(['--json', ...script('printf "\\377a"; echo ü >&2; exit 9')]));
    expect(exitCode).toBe(9);
    expect(JSON.parse(stdout)).toEqual({
      exitCode: 9,
      signal: null,
      stdout: '\ufffda',
      stdoutBase64: '/2E=',
      stderr: 'ü\n',
    });
  });

  it('passes on its input to the last byte', async () => {
    const text = randomBytes(40_000).toString('hex');
    const { stdout } = await home.run(exec(['--', 'cat']), { input: text });
    expect(stdout).toBe(text);
  });

  it('gives the command variables and a folder', async () => {
    const words = ['--env', "GREETING=it's me", '--workdir', '/usr', ...script('echo "$GREETING"; pwd')];
    expect((await home.run(exec(words))).stdout).toBe("it's me\n/usr\n");
  });

  it('ends a command that takes longer than --timeout', async () => {
    const { exitCode, stderr } = await home.run(exec(['--timeout', '1s', '--', 'sleep', '1000']));
    expect(exitCode).toBe(7);
    expect(stderr).toContain('the command ran longer than 1 s and was ended');
  });

  it('names what is missing', async () => {
    const program = await home.run(exec(['--', 'no-such-program']));
    expect(program.exitCode).toBe(127);
    expect(program.stderr).toContain('no-such-program');
    const both = await home.run(['exec', 'fox', '--task', task.taskArn ?? '', '--', 'true']);
    expect(both.exitCode).toBe(2);
  });

  it('explains why a container whose agent has stopped takes no command', async () => {
    const other = await local.runTask();
    await local.control('POST', 'sessions/stop-agent', { task: other.taskArn, container: 'agent' });
    const { exitCode, stdout } = await home.run(['exec', '--task', other.taskArn ?? '', '--json', '--', 'true']);
    expect(exitCode).toBe(10);
    const { error } = JSON.parse(stdout) as { readonly error: Record<string, unknown> };
    expect(error).toMatchObject({
      code: 'unreachable',
      message: expect.stringMatching(/^cannot run commands in container agent of task .*agent/) as string,
      details: { findings: expect.arrayContaining([expect.objectContaining({ id: 'exec-agent' })]) as unknown[] },
    });
  });

  it('says that a task was started without ECS Exec', async () => {
    const { taskArn = '' } = await local.runTask({ enableExecuteCommand: false });
    const { exitCode, stderr } = await home.run(['exec', '--task', taskArn, '--', 'true']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('was started without ECS Exec');
  });

  it('connects the terminal to a shell, and leaves it as it was', async () => {
    const { output, exitCode } = await runInTerminal(
      home,
      ['connect', '--task', task.taskArn ?? ''],
      [
        { expect: '[#$] ', send: 'stty size; echo "<$((6 * 7))>"\r' },
        { expect: '40 120.*<42>', send: 'sleep 1000\r' },
        { expect: 'sleep 1000', send: '\x03' },
        { expect: '[#$] ', send: 'exit\r' },
      ],
    );
    expect(output).toContain('<42>');
    expect(exitCode).toBe(0);
  });

  it('runs a command on a terminal with --tty, with its exit code', async () => {
    const { output, exitCode } = await runInTerminal(
      home,
      exec(['--tty', '--env', 'NAME=value', ...script('stty size; echo "<$NAME>"; read line; sleep 1000; exit 6')]),
      [
        { expect: '40 120.*<value>', send: 'typed\r' },
        { expect: 'typed', send: '\x03' },
      ],
    );
    expect(output).toMatch(/40 120\r+\n<value>\r+\ntyped\r+\n\^C/);
    expect(exitCode).toBe(130);
  });

  it('types an input that is no terminal, and Ctrl-D at its end', async () => {
    const { stdout, exitCode } = await home.run(exec(['--tty', ...script('tty >/dev/null && cat; exit 4')]), {
      input: 'one\ntwo',
    });
    expect(stdout.replaceAll('\r', '')).toContain('one\ntwo');
    expect(exitCode).toBe(4);
  });

  it('refuses --tty with --json', async () => {
    const { stdout, exitCode } = await home.run(exec(['--tty', '--json', '--', 'true']));
    expect(exitCode).toBe(2);
    expect(stdout).toContain('give --tty or --json, not both');
  });

  it('needs a terminal to connect', async () => {
    const { exitCode, stderr } = await home.run(['connect', '--task', task.taskArn ?? '']);
    expect(exitCode).toBe(2);
    expect(stderr).toContain('connect needs a terminal');
  });
});
