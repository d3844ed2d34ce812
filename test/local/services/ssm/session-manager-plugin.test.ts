import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Task } from '@aws-sdk/client-ecs';
import { ExecEndpoint, processTasks, targetOf } from '../../../support/endpoint/exec-endpoint';
import { sessions } from '../../../../lib/local/services/ssm/sessions';
import { listening } from '../../../support/network/listening';
import { until } from '../../../support/run/eventually';
import { AWS_CLI } from '../../../support/run/aws-cli';
import { freePort } from '../../../support/run/free-port';
import { installPythonTool, python } from '../../../support/run/python-tools';
import { describeWith, program } from '../../../support/run/requirements';

jest.setTimeout(60_000);

const needs = [...processTasks, python, program('session-manager-plugin')];

describeWith(needs, 'the AWS CLI and its session-manager-plugin, told nothing but AWS_ENDPOINT_URL', () => {
  const home = mkdtempSync(join(tmpdir(), 'mngr-fargate-plugin-'));
  const running: ChildProcess[] = [];
  let local: ExecEndpoint;
  let task: Task;
  let bin: string;

  beforeAll(async () => {
    bin = await installPythonTool(AWS_CLI);
    local = await ExecEndpoint.start();
    task = await local.runTask();
  }, 300_000);

  afterAll(async () => {
    for (const child of running) child.kill('SIGKILL');
    await local.destroy();
    rmSync(home, { recursive: true });
    expect(local.faults).toEqual([]);
  });

  /** The CLI on a terminal of its own, since the plugin asks for one. */
  const aws = (...words: readonly string[]): ChildProcess & { readonly output: () => string } => {
    const command = [join(bin, 'python3'), join(bin, 'aws'), ...words].map((word) => `'${word}'`).join(' ');
    const env = { PATH: process.env.PATH, HOME: home, ...local.endpoint.description.env };
    const child = spawn('script', ['--quiet', '--return', '--command', command, '/dev/null'], { env });
    running.push(child);
    let text = '';
    child.stdout.on('data', (data: Buffer) => (text += data.toString()));
    child.stderr.on('data', (data: Buffer) => (text += data.toString()));
    return Object.assign(child, { output: () => text });
  };

  const prints = async (child: ReturnType<typeof aws>, wanted: RegExp): Promise<string> => {
    while (!wanted.test(child.output())) {
      const ended = once(child, 'exit').then(() => 'ended');
      if ((await Promise.race([once(child.stdout as NodeJS.ReadableStream, 'data'), ended])) === 'ended') break;
    }
    expect(child.output()).toMatch(wanted);
    return child.output();
  };

  const execute = (command: string) =>
    aws(
      ...['ecs', 'execute-command', '--cluster', 'mngr', '--task', task.taskArn ?? ''],
      ...['--interactive', '--command', command],
    );

  it('show what a command prints, and end', async () => {
    const child = execute('seq 300');
    await once(child, 'close');
    expect(child.output()).toMatch(/Starting session with SessionId: ecs-execute-command-[0-9a-f]{17}/);
    expect(child.output().match(/^\d+\r*$/gm)).toHaveLength(300);
    expect(child.output()).toMatch(/Exiting session with sessionId: ecs-execute-command-/);
  });

  it('show why a command can not be started', async () => {
    const child = execute('/no/such');
    await once(child, 'close');
    expect(child.output()).toContain('Failed to start pty: fork/exec /no/such: no such file or directory');
  });

  it('type into a shell, and find it again after a cut', async () => {
    const child = execute('sh');
    await prints(child, /[#$] /);
    child.stdin?.write('echo "<$((6 * 7))>"\r');
    await prints(child, /<42>/);
    const resumed = (): boolean => 'ssm:ResumeSession' in local.endpoint.control.callLog.summary();
    await local.control('POST', 'sessions/cut');
    // The plugin gives up when it is typed into while it connects again.
    const registry = local.endpoint.world.part(sessions);
    await until(() => Promise.resolve(resumed() && registry.all().some(({ connected }) => connected)));
    child.stdin?.write('echo "<$((6 * 8))>"\r');
    await prints(child, /<48>/);
    child.stdin?.write('exit\r');
    await once(child, 'close');
  });

  it('forward a port', async () => {
    const echo = await listening((socket) => socket.pipe(socket));
    const here = await freePort();
    const parameters = { portNumber: [echo.port], localPortNumber: [String(here)] };
    const child = aws(
      ...['ssm', 'start-session', '--target', targetOf(task)],
      ...['--document-name', 'AWS-StartPortForwardingSession', '--parameters', JSON.stringify(parameters)],
    );
    await prints(child, /Waiting for connections/);
    const said = await Promise.all(
      ['one', 'two', 'three'].map(async (word) => {
        const socket = connect(here, '127.0.0.1');
        socket.write(word);
        const [data] = (await once(socket, 'data')) as [Buffer];
        socket.destroy();
        return data.toString();
      }),
    );
    expect(said).toEqual(['one', 'two', 'three']);
    child.stdin?.write('\x03');
    await once(child, 'close');
    echo.server.close();
  });

  it('carry the bytes of SSH', async () => {
    const greeter = await listening((socket) => socket.end('SSH-2.0-here\r\n'));
    const parameters = { portNumber: [greeter.port] };
    const child = aws(
      ...['ssm', 'start-session', '--target', targetOf(task)],
      ...['--document-name', 'AWS-StartSSHSession', '--parameters', JSON.stringify(parameters)],
    );
    await prints(child, /SSH-2\.0-here/);
    await once(child, 'close');
    greeter.server.close();
  });
});
